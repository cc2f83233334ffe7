#include "journal/ask.h"

typedef struct AskRow {
        const char *name, *answers, *about;
        bool kept;
} AskRow;

static const AskRow ask_rows[] = {
#define X(id, name_, answers_, kept_, about_)                                                      \
        [ASK_##id] = { .name = name_, .answers = answers_, .about = about_, .kept = kept_ },
        ASK_KINDS(X)
#undef X
};

const char *ask_kind_name(AskKind kind)
{
        return ask_rows[kind].name;
}

AskKind ask_kind_of(const char *name)
{
        for (size_t i = 0; name && i < LEN(ask_rows); i++)
                if (str_eq(ask_rows[i].name, name))
                        return (AskKind)i;
        return ASK_YES;
}

const char *ask_kind_answers(AskKind kind)
{
        return ask_rows[kind].answers;
}

const char *ask_kind_about(AskKind kind)
{
        return ask_rows[kind].about;
}

bool ask_kind_kept(AskKind kind)
{
        return ask_rows[kind].kept;
}
