#include "pg/compare/rules.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/majors.h"
#include "pg/reprint.h"

typedef struct Rule {
        const char *name;
        const char *reason;
        bool (*excuses)(const RuleCase *c);
} Rule;

static bool straddles(const RuleCase *c, int major)
{
        return (c->source_major < major) != (c->target_major < major);
}

/* Before 16 a subscription streams or does not; parallel is a faster way to the same. */
static bool streaming(const RuleCase *c)
{
        return straddles(c, 16) && str_eq(c->kind, "subscription") &&
               str_eq(c->aspect, "streaming") &&
               (str_eq(json_string_value(c->source), "parallel") ||
                str_eq(json_string_value(c->target), "parallel"));
}

static bool lone(const RuleCase *c)
{
        return !c->source_object || !c->target_object;
}

/* Is every entry of `a` that `keep` keeps also in `b`? */
static bool subset(const json_t *a, const json_t *b, bool (*keep)(const char *entry, const char *o),
                   const char *owner)
{
        size_t i, k;
        json_t *v, *w;
        json_array_foreach(a, i, v) {
                bool found = !keep(json_string_value(v), owner);
                json_array_foreach(b, k, w)
                        found = found || json_equal(v, w);
                if (!found)
                        return false;
        }
        return true;
}

/* Who granted it stands behind the star, after a slash. */
static bool but_maintain(const char *entry, const char *owner)
{
        const char *p = strstr(entry, "=MAINTAIN");
        p = p ? p + strlen("=MAINTAIN") : NULL;
        return !p || (*p && *p != '/' && !(*p == '*' && (!p[1] || p[1] == '/')));
}

static bool has_entry(const json_t *list, const char *entry)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
                if (str_eq(json_string_value(v), entry))
                        return true;
        return false;
}

/* GRANT ALL of the older side, which is all it knew: "app=MAINTAIN*" goes with every other
 * privilege, each with its star. */
static bool one_of_all(const json_t *list, const char *entry)
{
        static const char *const all[] = { "SELECT",   "INSERT",     "UPDATE", "DELETE",
                                           "TRUNCATE", "REFERENCES", "TRIGGER" };
        size_t n = (size_t)(strstr(entry, "=MAINTAIN") - entry);
        const char *rest = entry + n + strlen("=MAINTAIN");
        bool star = *rest == '*';
        const char *by = rest + star;
        for (size_t i = 0; i < LEN(all); i++) {
                AUTO_FREE char *with = xasprintf("%.*s=%s*%s", (int)n, entry, all[i], by);
                AUTO_FREE char *without = xasprintf("%.*s=%s%s", (int)n, entry, all[i], by);
                if (!has_entry(list, with) && (star || !has_entry(list, without)))
                        return false;
        }
        return true;
}

/* A dump says only what differs from the default, and by default the owner may. */
static bool of_owner(const json_t *object, const char *entry)
{
        const char *owner = jx_str(object, "owner", jx_str(object, "role", NULL));
        size_t n = owner ? strlen(owner) : 0;
        return n && strncmp(entry, owner, n) == 0 && str_eq(entry + n, "=MAINTAIN");
}

static bool maintain(const RuleCase *c)
{
        size_t i;
        json_t *v;
        if (!straddles(c, 17) || !str_eq(c->aspect, "acl") || !json_is_array(c->source) ||
            !json_is_array(c->target) || !subset(c->source, c->target, but_maintain, NULL) ||
            !subset(c->target, c->source, but_maintain, NULL))
                return false;
        if (c->target_major >= 17)
                json_array_foreach(c->target, i, v)
                        if (!but_maintain(json_string_value(v), NULL) &&
                            !of_owner(c->target_object, json_string_value(v)) &&
                            !one_of_all(c->target, json_string_value(v)))
                                return false;
        return true;
}

/* But for the owner's own; "" is nobody's name. */
static bool not_owners(const char *entry, const char *owner)
{
        size_t n = strlen(owner);
        return !n || strncmp(entry, owner, n) != 0 || entry[n] != '=';
}

static bool not_owners_nor_create(const char *entry, const char *owner)
{
        return !str_eq(entry, "PUBLIC=CREATE") && not_owners(entry, owner);
}

/* As initdb made it: of the first superuser before 15, of pg_database_owner since. */
static bool usual_owner(const RuleCase *c)
{
        return jx_bool(c->source_object, "usual_owner", false) &&
               jx_bool(c->target_object, "usual_owner", false);
}

/* Of PUBLIC's grants only CREATE may be gone, and only from the newer side. */
static bool public_schema(const RuleCase *c)
{
        if (!str_eq(c->kind, "schema") || !str_eq(c->object, "\"public\""))
                return false;
        if (str_eq(c->aspect, "owner"))
                return usual_owner(c);
        if (!str_eq(c->aspect, "acl"))
                return false;
        bool usual = usual_owner(c), source_old = straddles(c, 15) && c->source_major < 15,
             target_old = straddles(c, 15) && c->target_major < 15;
        return subset(c->source, c->target, source_old ? not_owners_nor_create : not_owners,
                      usual ? jx_str(c->source_object, "owner", "") : "") &&
               subset(c->target, c->source, target_old ? not_owners_nor_create : not_owners,
                      usual ? jx_str(c->target_object, "owner", "") : "");
}

static bool extension_version(const RuleCase *c)
{
        return str_eq(c->kind, "extension") && str_eq(c->aspect, "version");
}

static bool same_locale(const char *a, const char *b)
{
        for (;; a++, b++) {
                while (*a == '-' || *a == '_')
                        a++;
                while (*b == '-' || *b == '_')
                        b++;
                if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
                        return false;
                if (!*a)
                        return true;
        }
}

/* 16 writes an ICU locale as a language tag: de@collation=phonebook becomes de-u-co-phonebk. What
 * stands behind the language is ICU's to translate. */
static bool same_tag(const char *old, const char *tag)
{
        const char *at = strchr(old, '@'), *u = strstr(tag, "-u-");
        if (!*old || str_eq(old, "root"))
                return str_eq(tag, "und");
        if (!at || !u)
                return false;
        AUTO_FREE char *a = xstrndup(old, (size_t)(at - old));
        AUTO_FREE char *b = xstrndup(tag, (size_t)(u - tag));
        return same_locale(a, b);
}

static bool locale_spelling(const RuleCase *c)
{
        bool icu = str_eq(c->aspect, "locale");
        if ((!str_eq(c->kind, "database") && !str_eq(c->kind, "collation")) ||
            (!icu && !str_eq(c->aspect, "collate") && !str_eq(c->aspect, "ctype")) ||
            !json_is_string(c->source) || !json_is_string(c->target))
                return false;
        const char *a = json_string_value(c->source), *b = json_string_value(c->target);
        bool whole = str_eq(c->kind, "database"); /* a collation's the target is asked about */
        if (icu && straddles(c, 16))
                return same_locale(a, b) || (whole && same_tag(c->source_major < 16 ? a : b,
                                                               c->source_major < 16 ? b : a));
        return !icu && same_locale(a, b);
}

static bool tablespace(const RuleCase *c)
{
        return str_eq(c->kind, "table") && str_eq(c->aspect, "tablespace");
}

static bool rebuilt_index(const RuleCase *c)
{
        return str_eq(c->kind, "index") && str_eq(c->aspect, "valid") && json_is_false(c->source) &&
               json_is_true(c->target);
}

/* pg_dump makes a child with its parents' columns first; by INHERIT later they could be
 * anywhere. */
static bool inherited_order(const RuleCase *c)
{
        return str_eq(c->kind, "column") && str_eq(c->aspect, "position") &&
               jx_bool(c->source_object, "child", false) &&
               jx_bool(c->target_object, "child", false);
}

/* Before 18 a generated column is stored; the compare of rows reads both. */
static bool virtual_stored(const RuleCase *c)
{
        return straddles(c, 18) && str_eq(c->kind, "column") && str_eq(c->aspect, "generated") &&
               json_is_string(c->source) && json_is_string(c->target) &&
               strpbrk(json_string_value(c->source), "vs") &&
               strpbrk(json_string_value(c->target), "vs");
}

/* Before 18 a partitioned table could be called so, which meant nothing. */
static bool unlogged_root(const RuleCase *c)
{
        return straddles(c, 18) && str_eq(c->kind, "table") && str_eq(c->aspect, "persistence") &&
               str_eq(jx_str(c->source_object, "kind", ""), "p") &&
               str_eq(jx_str(c->target_object, "kind", ""), "p");
}

/* Before 15 every sequence is logged. */
static bool logged_sequence(const RuleCase *c)
{
        return straddles(c, 15) && str_eq(c->kind, "sequence") && str_eq(c->aspect, "persistence");
}

/* The list as a server of that major can have it: in its names, sorted, and without what it does
 * not take. */
static json_t *settings_on(const json_t *list, int major)
{
        json_t *kept = json_array(), *v;
        size_t i;
        json_array_foreach(list, i, v) {
                const char *entry = json_string_value(v);
                const char *equals = strchr(entry, '=');
                if (!equals)
                        continue;
                AUTO_FREE char *name = xstrndup(entry, (size_t)(equals - entry));
                SettingFate f = setting_fate_own(name, equals + 1, major);
                AUTO_FREE char *there = xasprintf("%s%s", f.now ? f.now : name, equals);
                size_t at = 0;
                while (at < json_array_size(kept) &&
                       strcmp(json_string_value(json_array_get(kept, at)), there) < 0)
                        at++;
                if (f.verdict != SETTING_LEFT_OUT)
                        json_array_insert_new(kept, at, json_string(there));
        }
        return kept;
}

/* What either side's major takes, in the words of the older one. */
static json_t *settings_known(const json_t *list, const RuleCase *c)
{
        AUTO_JSON newer = settings_on(list, MAX(c->source_major, c->target_major));
        return settings_on(newer, MIN(c->source_major, c->target_major));
}

/* A role whose every setting here is one that the other major does not take has none there. */
static bool all_unknown(const RuleCase *c)
{
        const json_t *one = c->source_object ? c->source_object : c->target_object;
        AUTO_JSON left = settings_known(jx_get(one, "settings"), c);
        return json_array_size(left) == 0;
}

static bool unknown_setting(const RuleCase *c)
{
        if (str_eq(c->kind, "role setting") && lone(c) && c->source_major != c->target_major)
                return all_unknown(c);
        if (!str_eq(c->aspect, "settings") || c->source_major == c->target_major ||
            (!str_eq(c->kind, "database") && !str_eq(c->kind, "role setting") &&
             !str_eq(c->kind, "function")))
                return false;
        AUTO_JSON a = settings_known(c->source, c);
        AUTO_JSON b = settings_known(c->target, c);
        return json_equal(a, b);
}

/* The older catalog has no such column: column compression (14), publication schemas (15). */
static bool unknown_before(const RuleCase *c)
{
        return c->source_major != c->target_major && !str_eq(c->aspect, RULE_MISSING) &&
               !str_eq(c->aspect, RULE_ONLY_TARGET) &&
               ((!c->source && c->source_major < c->target_major) ||
                (!c->target && c->target_major < c->source_major));
}

/* A quoted name keeps its quotes only when it needs them: "json" became a word of the grammar. */
static const char *add_name(Buf *b, const char *p)
{
        const char *end = p + 1;
        bool plain = true;
        for (; *end && (*end != '"' || end[1] == '"'); end++) {
                plain = plain && ((*end >= 'a' && *end <= 'z') || *end == '_' ||
                                  isdigit((unsigned char)*end));
                end += *end == '"';
        }
        if (*end)
                end++;
        if (plain && end - p > 2)
                buf_add(b, p + 1, (size_t)(end - p) - 2);
        else
                buf_add(b, p, (size_t)(end - p));
        return end;
}

/* A literal is compared as it is. */
static const char *add_literal(Buf *b, const char *p)
{
        do
                buf_addc(b, *p++);
        while (*p && *p != '\'');
        if (*p)
                buf_addc(b, *p++);
        return p;
}

static bool in_word(char c)
{
        return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Two words never become one: a space stands between any two tokens. */
char *rule_plain_text(const char *sql)
{
        AUTO_BUF b = buf_init(strlen(sql) * 2 + 1);
        for (const char *p = sql; *p;) {
                if (isspace((unsigned char)*p)) {
                        p++;
                        continue;
                }
                if (b.len)
                        buf_addc(&b, ' ');
                if (*p == '\'')
                        p = add_literal(&b, p);
                else if (*p == '"')
                        p = add_name(&b, p);
                else if (!in_word(*p))
                        buf_addc(&b, *p++);
                else
                        while (in_word(*p))
                                buf_addc(&b, *p++);
        }
        char *text = buf_take(&b, NULL);
        return text ? text : xstrdup("");
}

/* Only what says the same in any reading; the rest the target decides (reprint.h). */
static bool deparsed(const RuleCase *c)
{
        if (c->source_major == c->target_major || !reprint_knows(c->kind, c->aspect) ||
            !json_is_string(c->source) || !json_is_string(c->target) || str_eq(c->aspect, "locale"))
                return false;
        AUTO_FREE char *a = rule_plain_text(json_string_value(c->source));
        AUTO_FREE char *b = rule_plain_text(json_string_value(c->target));
        return str_eq(a, b);
}

/* The modes of a procedure's arguments are written out since 14: IN month date. */
static bool argument_modes(const RuleCase *c)
{
        if (!str_eq(c->kind, "function") || !str_eq(c->aspect, "arguments") || !straddles(c, 14) ||
            !json_is_string(c->source) || !json_is_string(c->target))
                return false;
        const char *a = json_string_value(c->source), *b = json_string_value(c->target);
        for (;;) {
                if (str_starts(a, "IN "))
                        a += 3;
                if (str_starts(b, "IN "))
                        b += 3;
                do {
                        if (*a != *b)
                                return false;
                        if (!*a)
                                return true;
                        a++, b++;
                } while (a[-1] != ' ');
        }
}

/* Of a partitioned table it is dumped: it waits for the partitions' own. */
static bool invalid_index(const RuleCase *c)
{
        return lone(c) && str_eq(c->kind, "index") && c->source_object &&
               !jx_bool(c->source_object, "valid", true) &&
               !jx_bool(c->source_object, "partitioned", false);
}

static bool shell_operator(const RuleCase *c)
{
        const json_t *one = c->source_object ? c->source_object : c->target_object;
        return lone(c) && str_eq(c->kind, "operator") && str_eq(jx_str(one, "function", ""), "-");
}

static bool never(const RuleCase *c)
{
        return false;
}

static const Rule rules[] = {
        { RULE_RECOMPUTED,
          "no copy carries generated columns: the target computed them, and every "
          "row has what its expression gives there",
          never },
        { "maintain-privilege",
          "17 has a privilege MAINTAIN: owners and GRANT ALL include it, and before there "
          "is none",
          maintain },
        { "public-schema",
          "schema public is whose initdb made it: since 15 pg_database_owner's, and "
          "PUBLIC may not create in it",
          public_schema },
        { "extension-version",
          "a dump does not say an extension's version: it is made in the one that its "
          "server brings",
          extension_version },
        { "locale-spelling",
          "en_US.utf8 and en_US.UTF-8 are one locale, as are en_US and en-US for "
          "ICU before and since 16",
          locale_spelling },
        { "tablespace", "where files lie is the server's business", tablespace },
        { "rebuilt-index", "an index that was invalid has been built anew", rebuilt_index },
        { "inherited-columns-first", "a child made anew has the columns of its parents first",
          inherited_order },
        { "virtual-stored", "before 18 a generated column keeps its values on disk",
          virtual_stored },
        { "unlogged-partitioned",
          "since 18 only partitions are unlogged: of their root the word meant nothing",
          unlogged_root },
        { "logged-sequence", "before 15 every sequence is logged", logged_sequence },
        { "unknown-setting",
          "a setting that one of the two majors does not have, or has under another name",
          unknown_setting },
        { "unknown-before", "the older major cannot say or keep this", unknown_before },
        { "streaming", "before 16 a subscription cannot apply what it streams in parallel",
          streaming },
        { "argument-modes", "14 and later write IN in front of a procedure's arguments",
          argument_modes },
        { "deparsed-text", "majors print the same expression with other quotes and line breaks",
          deparsed },
        { "invalid-index",
          "an index that is not valid (a CREATE INDEX CONCURRENTLY that failed) serves no "
          "query, and no dump carries it",
          invalid_index },
        { "shell-operator",
          "an operator that was only named as COMMUTATOR or NEGATOR has no function and "
          "cannot be used; no dump carries it",
          shell_operator },
        { RULE_REPRINTED,
          "the target, asked what it makes of the source's text, prints the text it has", never },
};

const char *rule_excuses(const RuleCase *c)
{
        for (size_t i = 0; i < LEN(rules); i++)
                if (rules[i].excuses(c))
                        return rules[i].name;
        return NULL;
}

const char *rule_reason(const char *rule)
{
        for (size_t i = 0; i < LEN(rules); i++)
                if (str_eq(rule, rules[i].name))
                        return rules[i].reason;
        return "";
}
