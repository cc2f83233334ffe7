/* kit_file_edit.h: files that were edited: the bytes of before are kept and put back. */
#pragma once

#include "engine/step_ctx.h"

/* Saves the present bytes below the step's saved/ directory, remembers hashes of both, and
 * replaces the file. The results go into what is remembered, too, for probe(). */
bool kit_file_edit(StepCtx *ctx, const char *path, const char *after, size_t after_len,
                   json_t *results, Err *err) MUST_CHECK;
/* Several files as one edit. `back`: what undo puts there, NULL for the bytes of before. */
typedef struct FileEdit {
        const char *path, *after, *back;
        size_t after_len, back_len;
} FileEdit;
bool kit_file_edits(StepCtx *ctx, const FileEdit *list, size_t n, json_t *results,
                    Err *err) MUST_CHECK;
/* What is remembered of the (first) file: {"file", "before", "after", "saved"}; NULL: nothing. */
const json_t *kit_file_edit_remembered(const json_t *remembered);
/* The file says so already: an earlier attempt of ours did it (then its results count), or
 * somebody else. Steals `results`. */
void kit_file_edit_nothing(StepCtx *ctx, json_t *results);
/* From the hashes; on FOUND_ALL sets the results again. */
bool kit_file_edit_probe(StepCtx *ctx, Found *ret, Err *err) MUST_CHECK;
/* Puts the saved bytes back if the file is as kit_file_edit() left it; else drift. */
bool kit_file_edit_undo(StepCtx *ctx, Err *err) MUST_CHECK;
