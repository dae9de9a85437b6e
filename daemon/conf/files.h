/* The files of a configuration: the main one and what it includes. Private to the room. */
#ifndef EG_CONF_FILES_H
#define EG_CONF_FILES_H

#include <conf/faults.h>
#include <conf/schema.h>

#define EG_CONF_FILES_MAX 256

struct eg_conf_file {
    char *name;         /* as it is said in faults */
    char *folder;       /* what relative paths in it are relative to */
    struct eg_raw *raw; /* NULL: empty file */
    yaml_document_t document;
    bool has_document;
};
struct eg_conf_files {
    struct eg_conf_file *rows[EG_CONF_FILES_MAX];
    unsigned count;
    bool holes; /* something could not be read: a name that is not there may stand in it */
};
/* Reads all, in the order of reading. What is wrong goes to `faults`; then `raw` may be missing. */
void eg_files_read(struct eg_conf_files *files, const char *path, struct eg_conf_faults *faults);
void eg_files_parse(struct eg_conf_files *files, const char *name, const char *text, size_t length,
                    struct eg_conf_faults *faults);
/* presets.c: reads the files of the presets that sources name and no file read so far defines. */
void eg_files_presets(struct eg_conf_files *files, bool from_disk, struct eg_conf_faults *faults);
/* One more file, because the one with `by_index` names it at `mark`. */
void eg_files_add(struct eg_conf_files *files, const char *path, unsigned by_index, yaml_mark_t mark,
                  struct eg_conf_faults *faults);
void eg_files_finish(struct eg_conf_files *files); /* raw strings go, too */
/* A preset by its name; NULL: none of the files has it. Where it stands, too. */
const struct eg_raw_preset *eg_files_preset(const struct eg_conf_files *files, const char *id,
                                            unsigned *ret_file, unsigned *ret_index);
/* Nodes by place; NULL where there is none. */
const yaml_node_t *eg_files_key(struct eg_conf_file *file, const yaml_node_t *mapping, const char *key);
const yaml_node_t *eg_files_item(struct eg_conf_file *file, const yaml_node_t *list, size_t index);
const yaml_node_t *eg_files_root(struct eg_conf_file *file);

#endif
