/* part.h: a file of steps (or phases) that several runbooks use. Inside this room only.
 *
 *      api: pgsherpa/v1
 *      part: verify                            # parts/verify.yaml
 *      title: A backup is read to its end
 *      params:
 *        bundle: {help: path of the backup}    # must be given
 *        each:   {help: foreach of the step, default: ~}         # may be left out
 *      steps:
 *        - id: verify
 *          foreach: "${part.each}"             # the whole value: any YAML; left out: no such key
 *          do: bundle.verify
 *          with: {bundle: "${part.bundle}"}
 *          title: Read ${part.bundle}          # inside of a text: a text, or nothing
 *
 * A runbook says `- use: {part: verify, with: {bundle: "${facts.bundle.path}"}}`, or `- use:
 * verify`, where a step (or a phase) could stand. The values are put in before anything is read, as
 * if they had been written there: types, names and rules are checked in what comes out. Every node
 * knows its file; a part has one for each use of it (loc.h). */
#pragma once

#include "runbook/load/load.h"

typedef struct PartFile {
        const RunbookPart *kept;
        YamlNode *root;
        const YamlNode *params; /* map, or NULL */
        YamlNode *items;        /* its steps or phases; NULL: it cannot be used */
        size_t nodes;
} PartFile;

/* May a part be called that? Small letters, digits, - and _, so that it is a file beside the
 * others. */
bool part_name_ok(const char *name);
/* Reads a part for the use at `use`, parsed anew each time. It must hold `what`: "steps" or
 * "phases"; NULL: any. false: a problem was told. */
bool part_open(Loader *l, const char *name, const YamlNode *use, const char *what, PartFile *ret);
/* The path of a part; NULL: there is none. malloc()ed. */
char *part_find(const char *home, const char *const *dirs, const char *name) MUST_CHECK;
