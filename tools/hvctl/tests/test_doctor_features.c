// SPDX-License-Identifier: GPL-2.0-only
/* What doctor looks for is what the module refuses to work without: module/vmx_caps.c. */
#include "doctor/features.h"
#include "lib/util.h"
#include "source_test.h"

static enum vmx_word_id word_by_key(const char *key)
{
	for (unsigned int i = 0; i < VMX_NR_WORDS; i++)
		if (!strcmp(vmx_words[i].key, key))
			return (enum vmx_word_id)i;
	fail_msg("%s_controls: no such word", key);
	return VMX_NR_WORDS;
}

static size_t find_control(enum vmx_word_id word, const char *need, const char *name)
{
	static const char *const needs[] = {
		[DOCTOR_NEED_ON] = "ON",
		[DOCTOR_NEED_CAN] = "CAN",
		[DOCTOR_NEED_OFF] = "OFF",
	};

	for (size_t i = 0; i < doctor_nr_controls; i++) {
		const struct doctor_control *c = &doctor_controls[i];

		if (c->word == word && !strcmp(c->name, name) && !strcmp(needs[c->need], need))
			return i;
	}
	fail_msg("doctor does not know VMX_%s \"%s\" of %s", need, name, vmx_words[word].key);
	return 0;
}

static void test_controls_are_the_modules(void **state)
{
	FILE *source = test_open_source("module/vmx_caps.c");
	bool seen[64] = { false };
	char line[256], key[16] = "", need[8], name[64];

	(void)state;
	while (fgets(line, sizeof(line), source)) {
		if (sscanf(line, "static const struct vmx_control %15[a-z0-9]_controls[]", key) > 0)
			continue;
		if (sscanf(line, " { %*[A-Z0-9_], VMX_%7[A-Z], \"%63[^\"]\" }", need, name) != 2 ||
		    !strcmp(need, "MAY"))
			continue;
		seen[find_control(word_by_key(key), need, name)] = true;
	}
	fclose(source);
	assert_true(doctor_nr_controls <= ARRAY_SIZE(seen));
	for (size_t i = 0; i < doctor_nr_controls; i++)
		if (!seen[i])
			fail_msg("the module does not ask for \"%s\"", doctor_controls[i].name);
}

/* The bits, which the module has from the kernel: held to the SDM's names for them */
static void test_controls_have_their_bits(void **state)
{
	char name[64];

	(void)state;
	for (size_t i = 0; i < doctor_nr_controls; i++) {
		const struct doctor_control *c = &doctor_controls[i];
		const char *sdm = vmx_bit_name(&vmx_words[c->word].bits, c->bit);

		snprintf(name, sizeof(name), "%s", c->name);
		if (strstr(name, " (entry)"))
			*strstr(name, " (entry)") = 0;
		if (!sdm || !strstr(sdm, name))
			fail_msg("bit %u is \"%s\", not \"%s\"", c->bit, sdm, c->name);
	}
}

static void test_words_are_the_modules(void **state)
{
	FILE *source = test_open_source("module/vmx_caps.c");
	unsigned int words = 0, named = 0;
	char line[256], name[64];

	(void)state;
	while (fgets(line, sizeof(line), source)) {
		if (sscanf(line, " VMX_WORD(\"%63[^\"]\"", name) != 1)
			continue;
		words++;
		for (unsigned int i = 0; i < VMX_NR_WORDS; i++)
			named += doctor_word_names[i] && !strcmp(doctor_word_names[i], name);
	}
	fclose(source);
	assert_int_equal(words, 5);
	assert_int_equal(named, words);
}

static void test_ept_needs_are_the_modules(void **state)
{
	static const struct {
		const char *id; /* in the kernel's asm/vmx.h */
		unsigned int bit;
	} ids[] = {
		{ "VMX_EPT_PAGE_WALK_4_BIT", 6 },
		{ "VMX_EPTP_WB_BIT", 14 },
		{ "VMX_EPT_INVEPT_BIT", 20 },
		{ "VMX_EPT_EXTENT_CONTEXT_BIT", 25 },
	};
	FILE *source = test_open_source("module/vmx_caps.c");
	char line[256], id[64], name[64];
	size_t n = 0;

	(void)state;
	while (fgets(line, sizeof(line), source)) {
		if (sscanf(line, " { %63[A-Z0-9_], \"%63[^\"]\" }", id, name) != 2)
			continue;
		assert_true(n < doctor_nr_ept_needs && n < ARRAY_SIZE(ids));
		assert_string_equal(name, doctor_ept_needs[n].name);
		assert_string_equal(id, ids[n].id);
		assert_int_equal(doctor_ept_needs[n].bit, ids[n].bit);
		n++;
	}
	fclose(source);
	assert_int_equal(n, doctor_nr_ept_needs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controls_are_the_modules),
		cmocka_unit_test(test_controls_have_their_bits),
		cmocka_unit_test(test_words_are_the_modules),
		cmocka_unit_test(test_ept_needs_are_the_modules),
	};

	return cmocka_run_group_tests_name("doctor_features", tests, NULL, NULL);
}
