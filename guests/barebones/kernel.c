// SPDX-License-Identifier: GPL-2.0-only
/*
 * barebones: the kernel that everybody writes first. Text at B8000H, and nothing else: no
 * library, no port, no interrupt, neither IDT nor GDT of its own.
 */
#define COLUMNS		80
#define ROWS		25
#define GREEN		0x0a
#define WHITE		0x0f
#define CELL(color, c)	((unsigned short)((color) << 8 | (unsigned char)(c)))

static volatile unsigned short *const text = (volatile unsigned short *)0xb8000;
static unsigned int row, column;
static unsigned char color = GREEN;

void kernel_main(void);

static void clear(unsigned int from)
{
	unsigned int i;

	for (i = from * COLUMNS; i < ROWS * COLUMNS; i++)
		text[i] = CELL(color, ' ');
}

static void new_line(void)
{
	unsigned int i;

	column = 0;
	if (++row < ROWS)
		return;
	row--;
	for (i = 0; i < row * COLUMNS; i++)
		text[i] = text[i + COLUMNS];
	clear(row);
}

static void put(char c)
{
	if (c == '\n') {
		new_line();
		return;
	}
	text[row * COLUMNS + column] = CELL(color, c);
	if (++column == COLUMNS)
		new_line();
}

static void print(const char *words)
{
	while (*words)
		put(*words++);
}

void kernel_main(void)
{
	unsigned int i;

	clear(0);
	for (i = 0; i < ROWS; i++)
		print("this scrolls away\n");
	color = WHITE;
	print("Hello, kernel world!\n");
	print("What is longer than a line of eighty characters goes on at the beginning of the next one.");
}
