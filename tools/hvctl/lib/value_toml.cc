// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree of values from TOML, by toml++: Debian has no such library for C. This is all of hvctl
 * that is C++; the library's headers alone are used, and what of libstdc++ that takes is linked
 * in, since the shared one would cost each VM's process a megabyte.
 */
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
/* Not by iostreams. */
#define TOML_INT_CHARCONV 1
#define TOML_FLOAT_CHARCONV 1
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "value.h"
extern "C" {
#include "error.h"
}

namespace
{

/* A NUL would end what C takes for the string. */
bool has_nul(std::string_view text)
{
	return text.find('\0') != text.npos;
}

/* One of a table or an array. */
struct child {
	const toml::key *key;
	const toml::node *node;
	toml::source_position begin;
};

class converter
{
	hv_error *err;

	bool refuse(const child &child, const char *what)
	{
		hv_fail_at(err, child.begin.line, EINVAL, "%s has a NUL in it; leave it out", what);
		return false;
	}

	bool add_string(hv_value *parent, const char *key, const child &child)
	{
		const std::string &text = child.node->as_string()->get();
		hv_value *value;

		if (has_nul(text))
			return refuse(child, "a string");
		value = hv_value_add_string(parent, key, text.c_str());
		if (value)
			value->line = child.begin.line;
		return true;
	}

	hv_value *add_scalar(hv_value *parent, const char *key, const toml::node &node)
	{
		if (node.is_integer())
			return hv_value_add_integer(parent, key, node.as_integer()->get());
		if (node.is_boolean())
			return hv_value_add_bool(parent, key, node.as_boolean()->get());
		return hv_value_add(parent, HV_VALUE_OTHER, key);
	}

	bool add(hv_value *parent, const child &child)
	{
		const char *key = child.key ? child.key->str().data() : nullptr;
		const toml::node &node = *child.node;
		hv_value *value;

		if (child.key && has_nul(child.key->str()))
			return refuse(child, "a key");
		if (node.is_string())
			return add_string(parent, key, child);
		if (!node.is_table() && !node.is_array())
			value = add_scalar(parent, key, node);
		else
			value = hv_value_add(parent, node.is_table() ? HV_VALUE_TABLE : HV_VALUE_ARRAY,
					     key);
		if (value)
			value->line = child.begin.line;
		if (node.is_table())
			return add_all(value, *node.as_table());
		return !node.is_array() || add_all(value, *node.as_array());
	}

public:
	explicit converter(hv_error *to) : err(to) {}

	/* toml++ sorts a table by its keys; a reader wants the first error of the file. */
	bool add_all(hv_value *parent, const toml::table &table)
	{
		std::vector<child> children;

		for (auto &&[key, node] : table)
			children.push_back({ &key, &node, key.source().begin });
		std::stable_sort(children.begin(), children.end(), [](const child &a, const child &b) {
			return a.begin < b.begin;
		});
		return std::all_of(children.begin(), children.end(),
				   [&](const child &child) { return add(parent, child); });
	}

	bool add_all(hv_value *parent, const toml::array &array)
	{
		return std::all_of(array.begin(), array.end(), [&](const toml::node &node) {
			return add(parent, { nullptr, &node, node.source().begin });
		});
	}
};

/* What toml++ says begins with what it was doing, and may have a file's words in it. */
void tell(const toml::parse_error &error, hv_error *err)
{
	std::string_view what = error.description();

	hv_fail_at(err, error.source().begin.line, EINVAL, "is no TOML: %.*s; mend it",
		   (int)what.size(), what.data());
}

} // namespace

hv_value *hv_value_from_toml(const char *text, size_t len, hv_error *err)
{
	toml::parse_result result = toml::parse(std::string_view(text, len));
	hv_value *root;

	if (!result) {
		tell(result.error(), err);
		return nullptr;
	}
	root = hv_value_new();
	if (root && !converter(err).add_all(root, result.table())) {
		hv_value_free(root);
		return nullptr;
	}
	if (root && !root->is_incomplete)
		return root;
	hv_value_free(root);
	hv_fail(err, ENOMEM, "no memory for a configuration; close something");
	return nullptr;
}
