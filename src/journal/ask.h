/* ask.h: the kinds of question a run can put to a person, in one list.
 *
 * The engine asks with them, the journal carries their names (the `kind` of gate.open), the wizard
 * and the plain frontend choose by them how to draw the question, pgsherpa-runbook(5) lists them. A
 * new kind is one row here; who switches over AskKind is told by the compiler that it is missing.
 *
 * Columns: the name, the answers there can be (keys of choices, in the words of the protocol),
 * whether an answer is kept with its step until the next verdict (it says how a step that failed
 * goes on), and what the question is. */
#pragma once

#include "base/base.h"

#define ASK_KINDS(X)                                                                               \
        X(YES, "yes", "y n k", false, "go on? (k: leave this clean-up out)")                       \
        X(WORD, "word", "y n k b", false, "go on? a word has to be typed")                         \
        X(AFTER, "after", "n k", false, "opens by itself at a time")                               \
        X(ERROR, "error", "r s u a", true, "a step failed: again, skip, undo, stop")               \
        X(SECRET, "secret", "given", false, "a password, typed")                                   \
        X(UNKNOWN, "unknown", "d r u a w k s", true, "nobody knows whether a step is done")        \
        X(MANUAL, "manual", "y n", false, "a checklist: y when every line is ticked")              \
        X(DECISION, "decision", "a choice, or y and a text", false, "a decision of the runbook")   \
        X(START, "start", "y", false, "the run waits for its time; y: start now")                  \
        X(UNDO, "undo", "y n", false, "take the way back that is listed?")                         \
        X(ASK, "ask", "y r u a", false, "an expectation does not hold: go on, look again ..")

typedef enum AskKind {
#define X(id, name, answers, kept, about) ASK_##id,
        ASK_KINDS(X)
#undef X
                ASK_KINDS_
} AskKind;

/* "yes", "word" ..: as the journal writes it. */
const char *ask_kind_name(AskKind kind);
/* The kind of that name; a name nobody knows (a newer journal) or NULL is a plain question. */
AskKind ask_kind_of(const char *name);
/* Keys that its answers can have, parted by blanks, for people. */
const char *ask_kind_answers(AskKind kind);
const char *ask_kind_about(AskKind kind);
/* Its answer says how a step goes on, and is kept with the step until it has a new verdict. */
bool ask_kind_kept(AskKind kind);
