#include "transfer/choose/content.h"

void content_done(Content *c)
{
        json_decref(c->properties);
        json_decref(c->extensions);
        json_decref(c->indexes);
        *c = (Content){ 0 };
}

const char *content_encoding(const Content *c)
{
        return jx_str(c->properties, "encoding", "UTF8");
}
