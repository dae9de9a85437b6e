/* Reads files, follows includes, hands clean ones to libcyaml. Knows nothing of what the keys mean. */
#include <conf/files.h>
#include <conf/check.h>
#include <conf/presets.h>
#include <base/json.h>
#include <ecogov/driver.h>

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define INCLUDE_DEPTH 8

static const yaml_mark_t top = {0, 0, 0};

const yaml_node_t *eg_files_root(struct eg_conf_file *file)
{
    return file->has_document ? yaml_document_get_root_node(&file->document) : NULL;
}

const yaml_node_t *eg_files_key(struct eg_conf_file *file, const yaml_node_t *mapping, const char *key)
{
    if (!mapping || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(&file->document, pair->key);
        if (name->type == YAML_SCALAR_NODE && !strcmp((const char *)name->data.scalar.value, key))
            return yaml_document_get_node(&file->document, pair->value);
    }
    return NULL;
}

const yaml_node_t *eg_files_item(struct eg_conf_file *file, const yaml_node_t *list, size_t index)
{
    if (!list || list->type != YAML_SEQUENCE_NODE ||
        index >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start))
        return NULL;
    return yaml_document_get_node(&file->document, list->data.sequence.items.start[index]);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static struct eg_conf_file *add_file(struct eg_conf_files *files, const char *name, const char *path)
{
    struct eg_conf_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->name = strdup(name);
    file->folder = folder_of(path);
    if (!file->name || !file->folder || files->count == EG_CONF_FILES_MAX) {
        free(file->name);
        free(file->folder);
        free(file);
        return NULL;
    }
    files->rows[files->count++] = file;
    return file;
}

static void cyaml_quiet(cyaml_log_t level, void *user, const char *format, va_list args)
{
    (void)level;
    (void)user;
    (void)format;
    (void)args;
}

static const cyaml_config_t cyaml = {
    .log_fn = cyaml_quiet, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};

/* The document as text again: JSON, which is YAML. */
static void write_node(yaml_document_t *document, const yaml_node_t *node, struct eg_json *json)
{
    if (node->type == YAML_SCALAR_NODE) {
        eg_json_string_n(json, (const char *)node->data.scalar.value, node->data.scalar.length);
    } else if (node->type == YAML_SEQUENCE_NODE) {
        eg_json_open(json, '[');
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++)
            write_node(document, yaml_document_get_node(document, *item), json);
        eg_json_close(json, ']');
    } else {
        eg_json_open(json, '{');
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            eg_json_key(json, (const char *)yaml_document_get_node(document, pair->key)->data.scalar.value);
            write_node(document, yaml_document_get_node(document, pair->value), json);
        }
        eg_json_close(json, '}');
    }
}

/* What the check left of a faulty file. Nothing comes of it but more faults: a conf is made only where there are none. */
static void take_rest(struct eg_conf_file *file)
{
    struct eg_buf text;
    struct eg_json json;
    eg_buf_init(&text, 8 * FILE_MAX);
    eg_json_init(&json, &text);
    write_node(&file->document, eg_files_root(file), &json);
    if (!text.failed)
        cyaml_load_data((const uint8_t *)text.data, text.length, &cyaml, &eg_schema_file,
                        (cyaml_data_t **)&file->raw, NULL);
    eg_buf_finish(&text);
}

/* Who uses a format need not know whether we read it by a driver or by a preset: "driver: airgradient" names the preset that came
 * with us. */
static void take_formats(struct eg_raw *raw)
{
    for (unsigned i = 0; i < raw->sources_count; i++) {
        struct eg_raw_source *source = &raw->sources[i];
        const struct eg_preset_text *text = eg_preset_texts;
        if (source->preset || !source->mapping.driver || eg_driver_find(source->mapping.driver))
            continue;
        while (text->id && strcmp(text->id, source->mapping.driver) != 0)
            text++;
        if (!text->id)
            continue;
        source->preset = source->mapping.driver; /* freed as the one it now is */
        source->mapping.driver = NULL;
    }
}

static void take_text(struct eg_conf_files *files, struct eg_conf_file *file, unsigned index,
                      const char *text, size_t length, struct eg_conf_faults *faults)
{
    yaml_parser_t parser;
    size_t before = faults->count;
    bool holes = true;
    if (!eg_check_syntax(text, length, index, file->name, faults) || !yaml_parser_initialize(&parser)) {
        files->holes = true;
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    file->has_document = yaml_parser_load(&parser, &file->document) != 0;
    if (!file->has_document)
        eg_faults_add(faults, index, file->name, parser.problem_mark, "this is no YAML: %s",
                      parser.problem ? parser.problem : "unreadable");
    yaml_parser_delete(&parser);
    const yaml_node_t *root = eg_files_root(file);
    if (!root || (root->type == YAML_SCALAR_NODE && !root->data.scalar.length))
        return; /* nothing but comments */
    bool left = eg_check_document(&file->document, index, file->name, faults, &holes);
    if (faults->count != before) {
        if (left)
            take_rest(file);
        files->holes = files->holes || holes || !file->raw;
        return;
    }
    cyaml_err_t code = cyaml_load_data((const uint8_t *)text, length, &cyaml, &eg_schema_file,
                                       (cyaml_data_t **)&file->raw, NULL);
    if (code != CYAML_OK)
        eg_faults_add(faults, index, file->name, top, "cannot be read: %s", cyaml_strerror(code));
    else
        take_formats(file->raw);
}

static void read_file(struct eg_conf_files *files, const char *path, int depth, struct eg_conf_faults *faults,
                      struct eg_conf_file *by, unsigned by_index, yaml_mark_t mark);

static void include(struct eg_conf_files *files, struct eg_conf_file *file, unsigned index, int depth,
                    struct eg_conf_faults *faults)
{
    const yaml_node_t *list = eg_files_key(file, eg_files_root(file), "include");
    for (unsigned i = 0; file->raw && i < file->raw->include_count; i++) {
        const char *pattern = file->raw->include[i];
        const yaml_node_t *node = eg_files_item(file, list, i);
        yaml_mark_t mark = node ? node->start_mark : top;
        char path[PATH_MAX];
        glob_t found;
        if (snprintf(path, sizeof path, "%s%s%s", *pattern == '/' ? "" : file->folder,
                     *pattern == '/' ? "" : "/", pattern) >= PATH_MAX) {
            eg_faults_add(faults, index, file->name, mark, "the path is too long");
            continue;
        }
        if (!strpbrk(pattern, "*?[")) {
            read_file(files, path, depth + 1, faults, file, index, mark);
            continue;
        }
        if (glob(path, 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++)
                read_file(files, found.gl_pathv[k], depth + 1, faults, file, index, mark);
            globfree(&found);
        }
    }
}

static void read_file(struct eg_conf_files *files, const char *path, int depth, struct eg_conf_faults *faults,
                      struct eg_conf_file *by, unsigned by_index, yaml_mark_t mark)
{
    const char *said_by = by ? by->name : path;
    for (unsigned i = 0; i < files->count; i++)
        if (!strcmp(files->rows[i]->name, path)) {
            eg_faults_add(faults, by_index, said_by, mark, "%s is included a second time", path);
            return;
        }
    if (depth > INCLUDE_DEPTH) {
        eg_faults_add(faults, by_index, said_by, mark, "includes are nested deeper than %d", INCLUDE_DEPTH);
        return;
    }
    FILE *stream = fopen(path, "re");
    char *text = stream ? malloc(FILE_MAX + 1) : NULL;
    size_t length = text ? fread(text, 1, FILE_MAX + 1, stream) : 0;
    bool failed = !stream || !text || ferror(stream);
    int error = errno;
    if (stream)
        fclose(stream);
    unsigned index = files->count;
    struct eg_conf_file *file = failed || length > FILE_MAX ? NULL : add_file(files, path, path);
    if (failed)
        eg_faults_add(faults, by_index, said_by, mark, "%s cannot be read: %s", path, strerror(error));
    else if (length > FILE_MAX)
        eg_faults_add(faults, by_index, said_by, mark, "%s is larger than 1 MiB", path);
    else if (!file)
        eg_faults_add(faults, by_index, said_by, mark,
                      "%s is one file too many (at most %d), or there is no memory", path, EG_CONF_FILES_MAX);
    else {
        take_text(files, file, index, text, length, faults);
        include(files, file, index, depth, faults);
    }
    files->holes = files->holes || !file;
    free(text);
}

void eg_files_read(struct eg_conf_files *files, const char *path, struct eg_conf_faults *faults)
{
    read_file(files, path, 0, faults, NULL, 0, top);
    eg_files_presets(files, true, faults);
}

void eg_files_add(struct eg_conf_files *files, const char *path, unsigned by_index, yaml_mark_t mark,
                  struct eg_conf_faults *faults)
{
    read_file(files, path, 1, faults, files->rows[by_index], by_index, mark);
}

void eg_files_parse(struct eg_conf_files *files, const char *name, const char *text, size_t length,
                    struct eg_conf_faults *faults)
{
    struct eg_conf_file *file = add_file(files, name, name);
    if (!file || length > FILE_MAX) {
        faults->failed = true;
        return;
    }
    unsigned index = files->count - 1;
    take_text(files, file, index, text, length, faults);
    if (file->raw && file->raw->include_count)
        eg_faults_add(faults, index, file->name,
                      eg_files_key(file, eg_files_root(file), "include")->start_mark,
                      "include is for files only");
}

void eg_files_finish(struct eg_conf_files *files)
{
    for (unsigned i = 0; i < files->count; i++) {
        struct eg_conf_file *file = files->rows[i];
        if (file->raw)
            cyaml_free(&cyaml, &eg_schema_file, file->raw, 0);
        if (file->has_document)
            yaml_document_delete(&file->document);
        free(file->name);
        free(file->folder);
        free(file);
    }
    files->count = 0;
}
