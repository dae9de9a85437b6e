/* Holds a YAML document against the schema tables. Private to the room. */
#ifndef EG_CONF_CHECK_H
#define EG_CONF_CHECK_H
#include <conf/faults.h>
#include <conf/schema.h>
/* Syntax, nesting, anchors: what must be known before the document is loaded. False: not worth loading. */
bool eg_check_syntax(const char *text, size_t length, unsigned file, const char *name,
                     struct eg_conf_faults *faults);
/* Every key and scalar of the document; all faults, not only the first. What is faulty is taken out, a list's entry or a group at a time,
 * so that the rest can be read and its meaning checked in the same go; holes: a site or party may be among it. False: nothing is left. */
bool eg_check_document(yaml_document_t *document, unsigned file, const char *name,
                       struct eg_conf_faults *faults, bool *ret_holes);
#endif
