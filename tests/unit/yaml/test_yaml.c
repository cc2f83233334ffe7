#include <criterion/criterion.h>

#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "yaml/yaml.h"

static YamlNode *parse(Arena *a, const char *text, YamlMode mode)
{
        AUTO_ERR err = { 0 };
        YamlNode *root = NULL;
        bool ok = yaml_parse(a, "t.yaml", text, strlen(text), mode, &root, &err);
        cr_assert(ok, "%s", err.message);
        return root;
}

typedef struct Bad {
        const char *text, *message; /* message: how it begins */
} Bad;

static void check_refused(const Bad *cases, size_t n, YamlMode mode)
{
        for (size_t i = 0; i < n; i++) {
                AUTO_ARENA a = arena_new();
                AUTO_ERR err = { 0 };
                YamlNode *root;
                const char *text = cases[i].text;
                bool ok = yaml_parse(a, "t.yaml", text, strlen(text), mode, &root, &err);
                cr_expect_not(ok, "case %zu was taken: %s", i, text);
                if (!ok)
                        cr_expect_eq(
                                strncmp(err.message, cases[i].message, strlen(cases[i].message)), 0,
                                "case %zu says: %s", i, err.message);
        }
}

Test(yaml, keeps_text_and_style_and_leaves_the_type_to_the_schema)
{
        AUTO_ARENA a = arena_new();
        const YamlNode *root = parse(a,
                                     "a: no\nb: '022'\nc: \"1.10\"\nd: 12:30:45\ne: |\n  x\n"
                                     "  y\n"
                                     "f: >\n  x\n  y\n",
                                     YAML_STRICT);
        static const struct {
                const char *key, *text;
                YamlStyle style;
        } want[] = { { "a", "no", YAML_PLAIN },       { "b", "022", YAML_SINGLE },
                     { "c", "1.10", YAML_DOUBLE },    { "d", "12:30:45", YAML_PLAIN },
                     { "e", "x\ny\n", YAML_LITERAL }, { "f", "x y\n", YAML_FOLDED } };
        for (size_t i = 0; i < LEN(want); i++) {
                const YamlNode *c = yaml_get(root, want[i].key);
                cr_assert_str_eq(c->text, want[i].text);
                cr_assert_eq(c->style, want[i].style);
                cr_assert_eq(c->line, (int)i + 1 + (i > 4) * 2);
        }
}

Test(yaml, knows_where_each_value_stands)
{
        AUTO_ARENA a = arena_new();
        const YamlNode *root = parse(a, "steps:\n  - {id: x, do: note}\n  - id: y\n", YAML_STRICT);
        const YamlNode *id = yaml_path(root, "steps", "0", "id", NULL);
        cr_assert_eq(id->line, 2);
        cr_assert_eq(id->col, 10);
        cr_assert_eq(id->key->col, 6);
        const YamlNode *y = yaml_path(root, "steps", "1", "id", NULL);
        cr_assert_eq(y->line, 3);
        cr_assert_null(yaml_path(root, "steps", "2", "id", NULL));
        cr_assert_null(yaml_path(root, "steps", "x", "id", NULL));
        cr_assert_null(yaml_path(root, "nothing", "0", NULL));
}

/* E19: a byte-range edit by mark.index corrupted a file after one `ä`. */
Test(yaml, counts_bytes_where_libyaml_counts_characters)
{
        static const char *const texts[] = {
                "# \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98\nservices:\n  db: {image: 'postgres:16'} # "
                "x\n",
                "\xef\xbb\xbf# \xc3\xa4\nservices:\r\n  db:\r\n    image: 'postgres:16'   # "
                "tag\r\n",
                "\xc3\xa4\xc3\xa4: \xc3\xa4\nservices: {db: {image: 'postgres:16'}}\n",
        };
        for (size_t i = 0; i < LEN(texts); i++) {
                AUTO_ARENA a = arena_new();
                const YamlNode *root = parse(a, texts[i], YAML_FOREIGN);
                const YamlNode *image = yaml_path(root, "services", "db", "image", NULL);
                cr_assert_eq(image->end - image->start, strlen("'postgres:16'"));
                cr_assert_eq(strncmp(texts[i] + image->start, "'postgres:16'", 13), 0);
        }
}

Test(yaml, finds_bytes_far_into_a_file_of_long_characters)
{
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES);
        for (int i = 0; i < 3000; i++)
                buf_printf(&b, "\xe2\x82\xac%d: \"v\xc3\xa4\"\n", i);
        AUTO_ARENA a = arena_new();
        const YamlNode *root = parse(a, buf_str(&b), YAML_STRICT);
        cr_assert_eq(root->n, 3000);
        for (const YamlNode *c = root->first; c; c = c->next)
                cr_assert_eq(strncmp(b.data + c->start, "\"v\xc3\xa4\"", c->end - c->start), 0);
}

Test(yaml, refuses_what_a_runbook_must_not_hold)
{
        static const Bad cases[] = {
                { "a: &x 1\n", "t.yaml:1:4: an anchor (&) is not allowed" },
                { "a: 1\nb: *a\n", "t.yaml:2:4: an alias (*) is not allowed" },
                { "a: !!int 1\n", "t.yaml:1:4: a tag (!) is not allowed" },
                { "a: !x {b: 1}\n", "t.yaml:1:4: a tag (!) is not allowed" },
                { "%TAG ! tag:x,1:\n---\na: 1\n", "t.yaml:1:1: a %TAG directive" },
                { "<<: {a: 1}\n", "t.yaml:1:1: a merge key (<<)" },
                { "a: 1\nb: 2\na: 3\n", "t.yaml:3:1: the key `a` is here twice; first on line 1" },
                { "x: {b: 1, a: 2, 'b': 3}\n", "t.yaml:1:17: the key `b` is here twice" },
                { "? [a, b]\n: c\n", "t.yaml:1:3: a key must be a plain word, not a list" },
                { "{a: b}: c\n", "t.yaml:1:1: a key must be a plain word, not a map" },
                { "a: \"x\\0y\"\n", "t.yaml:1:4: the text holds a NUL" },
                { "a: \"\\x1b[2J\"\n", "t.yaml:1:4: the text holds the control character U+001B" },
                { "a: \"\\x9b\"\n", "t.yaml:1:4: the text holds the control character U+009B" },
                { "a: \"\\u202e\"\n", "t.yaml:1:4: the text holds the control character U+202E" },
                { "\"k\\a\": 1\n", "t.yaml:1:1: the text holds the control character U+0007" },
                { "a: 1 # \xe2\x80\xae evil\n", "t.yaml:1:8: the character U+202E must not" },
                { "a: \x1b[2J\n", "t.yaml:1:4: the character U+001B must not" },
                { "\xef\xbb\xbf"
                  "a: 1\n",
                  "t.yaml:1:1: the character U+FEFF must not" },
                { "a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document" },
                { "a: b\xff\n", "t.yaml:1:5: byte 5 (0xff) is not valid UTF-8" },
                { "a: \xed\xa0\x80\n", "t.yaml:1:4: byte 4 (0xed) is not valid UTF-8" },
                { "", "t.yaml:1:1: there is nothing" },
                { "# only words\n", "t.yaml:1:1: there is nothing" },
                { "a: [1, 2\n", "t.yaml:2:1: while parsing a flow sequence" },
                { "a:\n\tb: 1\n", "t.yaml:2:1: while scanning for the next token" },
                { "{that: x == []}\n", "t.yaml:1:13: " },
        };
        check_refused(cases, LEN(cases), YAML_STRICT);
}

Test(yaml, refuses_in_foreign_files_only_what_cannot_be_edited_safely)
{
        static const Bad cases[] = {
                { "a: 1\na: 3\n", "t.yaml:2:1: the key `a` is here twice" },
                { "a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document" },
                { "? [a]\n: c\n", "t.yaml:1:3: a key must be" },
                { "a: \"\\0\"\n", "t.yaml:1:4: the text holds a NUL" },
                { "a: \xff\n", "t.yaml:1:4: byte 4" },
                { "a: *b\n", "t.yaml:1:4: the alias *b stands for nothing" },
                { "a: &a [*a]\n", "t.yaml:1:8: the alias *a stands for nothing" },
        };
        check_refused(cases, LEN(cases), YAML_FOREIGN);
}

Test(yaml, refuses_nul_bytes)
{
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        YamlNode *root;
        cr_assert_not(yaml_parse(a, "t.yaml", "a: b\0c\n", 7, YAML_FOREIGN, &root, &err));
        cr_assert_str_eq(err.message, "t.yaml:1:5: there is a NUL byte in the file");
}

Test(yaml, says_why_an_edit_of_a_foreign_file_would_reach_further)
{
        AUTO_ARENA a = arena_new();
        const YamlNode *root = parse(a,
                                     "x-base: &base {image: 'postgres:16', user: \"\\e\"}\n"
                                     "services:\n"
                                     "  db: *base\n"
                                     "  api:\n    <<: {image: other}\n    image: api:1\n"
                                     "  tagged: !reset {image: x}\n",
                                     YAML_FOREIGN);
        cr_assert_not_null(strstr(yaml_hazard(yaml_path(root, "x-base", "image", NULL)), "anchor"));
        const YamlNode *db = yaml_path(root, "services", "db", NULL);
        cr_assert_not_null(strstr(yaml_hazard(db), "alias"));
        cr_assert_str_eq(yaml_get(yaml_resolve(db), "image")->text, "postgres:16");
        cr_assert_not_null(strstr(
                yaml_hazard(yaml_path(root, "services", "api", "<<", "image", NULL)), "merge"));
        cr_assert_not_null(
                strstr(yaml_hazard(yaml_path(root, "services", "tagged", "image", NULL)), "tag"));
        cr_assert_null(yaml_hazard(yaml_path(root, "services", "api", "image", NULL)));
}

Test(yaml, tells_null_from_the_word_null)
{
        AUTO_ARENA a = arena_new();
        const YamlNode *root = parse(a, "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", YAML_STRICT);
        cr_assert(yaml_is_null(yaml_get(root, "a")));
        cr_assert(yaml_is_null(yaml_get(root, "b")));
        cr_assert(yaml_is_null(yaml_get(root, "c")));
        cr_assert_not(yaml_is_null(yaml_get(root, "d")));
        cr_assert_not(yaml_is_null(yaml_get(root, "e")));
}

static void bomb(const char *unit, size_t times, const char *message)
{
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES + 100);
        while (times--)
                buf_adds(&b, unit);
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        YamlNode *root;
        clock_t began = clock(); /* of this process: others may be busy */
        cr_assert_not(yaml_parse(a, "t.yaml", b.data, b.len, YAML_STRICT, &root, &err));
        cr_expect_not_null(strstr(err.message, message), "%.20s..: %s", unit, err.message);
        cr_expect_lt(clock() - began, CLOCKS_PER_SEC, "%.20s.. took too long", unit);
}

Test(yaml, stops_at_its_limits_before_libyaml_gets_slow)
{
        bomb("[", LIMIT_YAML_BYTES, "nested more than 32 deep");
        bomb("{a: ", LIMIT_YAML_BYTES / 4, "nested more than 32 deep");
        bomb("[\n", LIMIT_YAML_BYTES / 2, "nested more than 32 deep");
        bomb("- ", LIMIT_YAML_BYTES / 2, "nested more than 32 deep");
        bomb("? ", LIMIT_YAML_BYTES / 2, "a key must be a plain word");
        bomb("- a\n", LIMIT_YAML_BYTES / 4, "more than 20000 values");
        bomb("a", LIMIT_YAML_BYTES + 1, "at most 1048576 are read");
}

Test(yaml, allows_nesting_of_exactly_32)
{
        AUTO_ARENA a = arena_new();
        AUTO_BUF b = buf_init(200);
        for (int i = 0; i < 32; i++)
                buf_addc(&b, '[');
        for (int i = 0; i < 32; i++)
                buf_addc(&b, ']');
        cr_assert_not_null(parse(a, buf_str(&b), YAML_STRICT));
}
