#include "app/show/export_log.h"

#include "journal/verbs.h"

bool export_log(const char *run_dir, const char *format, Buf *out, Err *err)
{
        AUTO_FREE char *text = NULL;
        if (!journal_log(run_dir, format, &text, err))
                return false;
        if (!buf_adds(out, text))
                return err_set(err, ERR_USER, "the log is larger than %zu bytes", out->max);
        return true;
}
