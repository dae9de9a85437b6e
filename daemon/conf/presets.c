/* Presets: what a device on the market sends, written down once and taken by name. Knows where a preset's file is looked for; what
 * its keys mean, sources.c knows. Called by files.c and load.c, when all files are read.
 *
 * A preset that no file defines is looked for as presets/NAME.yaml and sources.d/presets/NAME.yaml beside the file that names it,
 * else among those that were built in from conf/sources.d/presets. */
#include <conf/conf.h>
#include <conf/files.h>
#include <conf/presets.h>
#include <conf/resolve.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct eg_raw_preset *eg_files_preset(const struct eg_conf_files *files, const char *id,
                                            unsigned *ret_file, unsigned *ret_index)
{
    for (unsigned f = 0; f < files->count; f++)
        for (unsigned i = 0; files->rows[f]->raw && i < files->rows[f]->raw->presets_count; i++)
            if (!strcmp(files->rows[f]->raw->presets[i].id, id)) {
                *ret_file = f;
                *ret_index = i;
                return &files->rows[f]->raw->presets[i];
            }
    return NULL;
}

static const struct eg_preset_text *built_in(const char *id)
{
    for (const struct eg_preset_text *row = eg_preset_texts; row->id; row++)
        if (!strcmp(row->id, id))
            return row;
    return NULL;
}

static bool on_disk(struct eg_conf_files *files, unsigned by, const char *id, yaml_mark_t mark,
                    struct eg_conf_faults *faults)
{
    static const char *const folders[] = {"presets", "sources.d/presets"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int length = snprintf(path, sizeof path, "%s/%s/%s.yaml", files->rows[by]->folder, folders[i], id);
        if (length > 0 && length < PATH_MAX && access(path, F_OK) == 0) {
            eg_files_add(files, path, by, mark, faults);
            return true;
        }
    }
    return false;
}

/* A file that is there but does not define what its name says is found out by sources.c, like a name that is nowhere. */
static void look_for(struct eg_conf_files *files, unsigned by, const char *id, yaml_mark_t mark,
                     bool from_disk, struct eg_conf_faults *faults)
{
    char name[96];
    if (!eg_resolve_slug(id) || (from_disk && on_disk(files, by, id, mark, faults)))
        return;
    const struct eg_preset_text *text = built_in(id);
    snprintf(name, sizeof name, "preset:%s", id);
    if (text)
        eg_files_parse(files, name, text->text, text->length, faults);
}

static void tell(const struct eg_conf_files *files,
                 void (*each)(void *user, const struct eg_conf_preset *preset), void *user)
{
    const struct eg_raw *raw = files->count ? files->rows[0]->raw : NULL;
    for (unsigned i = 0; raw && i < raw->presets_count; i++) {
        const struct eg_raw_preset *row = &raw->presets[i];
        const struct eg_conf_preset preset = {.id = row->id,
                                              .about = row->about,
                                              .driver = row->mapping.driver,
                                              .codec = row->mapping.codec,
                                              .domain = row->domain,
                                              .topic = row->topic};
        each(user, &preset);
    }
}

bool eg_conf_presets(void (*each)(void *user, const struct eg_conf_preset *preset), void *user)
{
    struct eg_conf_faults faults = {0};
    struct eg_conf_files *files = calloc(1, sizeof *files);
    for (const struct eg_preset_text *row = eg_preset_texts; files && row->id; row++) {
        eg_files_parse(files, row->id, row->text, row->length, &faults);
        tell(files, each, user);
        eg_files_finish(files);
    }
    bool good = files && !faults.failed;
    eg_faults_finish(&faults);
    free(files);
    return good;
}

void eg_files_presets(struct eg_conf_files *files, bool from_disk, struct eg_conf_faults *faults)
{
    unsigned file, index;
    for (unsigned f = 0; f < files->count; f++) {
        struct eg_conf_file *row = files->rows[f];
        const yaml_node_t *list = eg_files_key(row, eg_files_root(row), "sources");
        for (unsigned i = 0; row->raw && i < row->raw->sources_count; i++) {
            const char *id = row->raw->sources[i].preset;
            const yaml_node_t *node = eg_files_item(row, list, i);
            if (id && !eg_files_preset(files, id, &file, &index))
                look_for(files, f, id, node ? node->start_mark : (yaml_mark_t){0, 0, 0}, from_disk, faults);
        }
    }
}
