/* Walks a document beside the schema tables and says every fault at its place. libcyaml would stop at the first, without one.
 * Knows YAML and the tables; what a string means, resolve.c knows. */
#include <conf/check.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16
#define KEYS_MAX 500

struct check {
    yaml_document_t *document;
    unsigned file;
    const char *name;
    struct eg_conf_faults *faults;
    bool holes; /* something that others may name was taken out */
};

bool eg_check_syntax(const char *text, size_t length, unsigned file, const char *name,
                     struct eg_conf_faults *faults)
{
    /* The same anchor twice is no error to this parser, but to the one that composes the document. */
    static const char no_anchors[] = "anchors and aliases are not read: write it out",
                      too_deep[] = "nested too deep";
    yaml_parser_t parser;
    int depth = 0, documents = 0;
    bool ok = true, end = false;
    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    while (ok && !end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            eg_faults_add(faults, file, name, parser.problem_mark, "this is no YAML: %s",
                          parser.problem ? parser.problem : "unreadable");
            ok = false;
            break;
        }
        yaml_mark_t at = event.start_mark;
        const char *wrong = NULL;
        switch (event.type) {
        case YAML_ALIAS_EVENT:
            wrong = no_anchors;
            break;
        case YAML_SCALAR_EVENT:
            wrong = event.data.scalar.anchor ? no_anchors : NULL;
            break;
        case YAML_SEQUENCE_START_EVENT:
            wrong = event.data.sequence_start.anchor ? no_anchors : ++depth > DEPTH_MAX ? too_deep : NULL;
            break;
        case YAML_MAPPING_START_EVENT:
            wrong = event.data.mapping_start.anchor ? no_anchors : ++depth > DEPTH_MAX ? too_deep : NULL;
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            depth--;
            break;
        case YAML_DOCUMENT_START_EVENT:
            wrong = ++documents > 1 ? "a file holds one document: '---' a second time" : NULL;
            break;
        default:
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (wrong) {
            eg_faults_add(faults, file, name, at, "%s", wrong);
            ok = false;
        }
    }
    yaml_parser_delete(&parser);
    return ok;
}

#define FAULT(check, node, ...)                                                                              \
    eg_faults_add((check)->faults, (check)->file, (check)->name, (node)->start_mark, __VA_ARGS__)

static const char *field_name(const void *from, size_t index)
{
    const cyaml_schema_field_t *fields = from;
    for (size_t i = 0; i < index; i++)
        if (!fields[i].key)
            return NULL;
    return fields[index].key;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static void check_value(struct check *check, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                        const char *key);

static void check_required(struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *fields)
{
    for (; fields->key; fields++) {
        bool found = fields->value.flags & CYAML_FLAG_OPTIONAL;
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top && !found; pair++) {
            const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
            found = key->type == YAML_SCALAR_NODE && !strcmp(text_of(key), fields->key);
        }
        if (!found)
            FAULT(check, node, "'%s' is missing here", fields->key);
    }
}

static bool too_many_keys(struct check *check, const yaml_node_t *node)
{
    ptrdiff_t count = node->data.mapping.pairs.top - node->data.mapping.pairs.start;
    if (count > KEYS_MAX)
        FAULT(check, node, "%td keys in one place, at most %d are read", count, KEYS_MAX);
    return count > KEYS_MAX;
}

/* The field that the key means; NULL when it means none, or was given before. */
static const cyaml_schema_field_t *check_key(struct check *check, const yaml_node_t *node,
                                             const yaml_node_pair_t *pair, const cyaml_schema_field_t *fields)
{
    const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
    if (key->type != YAML_SCALAR_NODE) {
        FAULT(check, key, "a key must be a word");
        return NULL;
    }
    for (const yaml_node_pair_t *earlier = node->data.mapping.pairs.start; earlier < pair; earlier++) {
        const yaml_node_t *other = yaml_document_get_node(check->document, earlier->key);
        if (other->type == YAML_SCALAR_NODE && !strcmp(text_of(other), text_of(key))) {
            FAULT(check, key, "'%.60s' is given twice (first in line %zu)", text_of(key),
                  other->start_mark.line + 1);
            return NULL;
        }
    }
    const cyaml_schema_field_t *field = fields;
    while (field->key && strcmp(field->key, text_of(key)) != 0)
        field++;
    if (field->key)
        return field;
    const char *near = eg_faults_nearest(text_of(key), field_name, fields);
    FAULT(check, key, "unknown key '%.60s'%s%s%s", text_of(key), near ? " (did you mean '" : "",
          near ? near : "", near ? "'?)" : "");
    return NULL;
}

static void check_mapping(struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *fields)
{
    if (too_many_keys(check, node))
        return;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        const cyaml_schema_field_t *field = check_key(check, node, pair, fields);
        if (field)
            check_value(check, yaml_document_get_node(check->document, pair->value), &field->value,
                        field->key);
    }
    check_required(check, node, fields);
}

static void check_enum(struct check *check, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                       const char *key)
{
    char words[200];
    size_t used = 0;
    *words = '\0';
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (!strcmp(schema->enumeration.strings[i].str, text_of(node)))
            return;
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? ", " : "",
                                 schema->enumeration.strings[i].str);
    }
    FAULT(check, node, "%s is '%.60s', it may be %s", key, text_of(node), words);
}

static bool is_whole(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    const char *digits = text + (*text == '-');
    return *digits >= '0' && *digits <= '9' &&
           (*digits != '0' || !digits[1]) && /* 010 would be eight to some */
           !*end && !errno && value >= INT32_MIN && value <= INT32_MAX;
}

static bool is_real(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return *text && !*end && isfinite(value) && !strpbrk(text, "xXnNiIpP ");
}

static bool is_bool(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], text))
            return true;
    return false;
}

static void check_scalar(struct check *check, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                         const char *key)
{
    const char *text = text_of(node);
    if (strlen(text) != node->data.scalar.length) {
        FAULT(check, node, "%s holds a zero byte", key);
        return;
    }
    switch (schema->type) {
    case CYAML_INT:
        if (!is_whole(text))
            FAULT(check, node, "%s is '%.60s', a whole number is expected", key, text);
        break;
    case CYAML_FLOAT:
        if (!is_real(text))
            FAULT(check, node, "%s is '%.60s', a number is expected", key, text);
        break;
    case CYAML_BOOL:
        if (!is_bool(text))
            FAULT(check, node, "%s is '%.60s', true or false is expected", key, text);
        break;
    case CYAML_ENUM:
        check_enum(check, node, schema, key);
        break;
    default:
        if (node->data.scalar.length < schema->string.min)
            FAULT(check, node, "%s is empty", key);
        else if (node->data.scalar.length > schema->string.max)
            FAULT(check, node, "%s has %zu bytes, at most %u are read", key, node->data.scalar.length,
                  schema->string.max);
        break;
    }
}

static void check_value(struct check *check, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                        const char *key)
{
    static const char *const kinds[] = {"nothing", "a single value", "a list", "a group of keys"};
    yaml_node_type_t wanted = schema->type == CYAML_MAPPING    ? YAML_MAPPING_NODE
                              : schema->type == CYAML_SEQUENCE ? YAML_SEQUENCE_NODE
                                                               : YAML_SCALAR_NODE;
    if (node->type != wanted) {
        if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
            FAULT(check, node, "%s is empty: leave it out or give %s", key, kinds[wanted]);
        else
            FAULT(check, node, "%s is %s, %s is expected", key, kinds[node->type], kinds[wanted]);
        return;
    }
    if (wanted == YAML_MAPPING_NODE) {
        check_mapping(check, node, schema->mapping.fields);
    } else if (wanted == YAML_SEQUENCE_NODE) {
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++)
            check_value(check, yaml_document_get_node(check->document, *item), schema->sequence.entry, key);
    } else {
        check_scalar(check, node, schema, key);
    }
}

/* --- what is left when the faulty is taken out --- */

static void keep_clean_items(struct check *check, yaml_node_t *list, const cyaml_schema_value_t *entry,
                             const char *key)
{
    yaml_node_item_t *kept = list->data.sequence.items.start;
    for (yaml_node_item_t *item = kept; item < list->data.sequence.items.top; item++) {
        size_t before = check->faults->count;
        check_value(check, yaml_document_get_node(check->document, *item), entry, key);
        if (check->faults->count == before)
            *kept++ = *item;
    }
    list->data.sequence.items.top = kept;
}

/* What an unknown key was to be nobody knows. */
static bool may_be_named(const cyaml_schema_field_t *field)
{
    return !field || !strcmp(field->key, "sites") || !strcmp(field->key, "parties") ||
           !strcmp(field->key, "channels") || !strcmp(field->key, "calendars") ||
           !strcmp(field->key, "presets") || !strcmp(field->key, "include");
}

static void keep_clean_keys(struct check *check, yaml_node_t *root, const cyaml_schema_field_t *fields)
{
    yaml_node_pair_t *kept = root->data.mapping.pairs.start;
    for (yaml_node_pair_t *pair = kept; pair < root->data.mapping.pairs.top; pair++) {
        size_t before = check->faults->count;
        yaml_node_t *value = yaml_document_get_node(check->document, pair->value);
        const cyaml_schema_field_t *field = check_key(check, root, pair, fields);
        if (field && field->value.type == CYAML_SEQUENCE && value->type == YAML_SEQUENCE_NODE) {
            keep_clean_items(check, value, field->value.sequence.entry, field->key);
            check->holes = check->holes || (check->faults->count != before && may_be_named(field));
            before = check->faults->count;
        } else if (field) {
            check_value(check, value, &field->value, field->key);
        }
        if (check->faults->count == before)
            *kept++ = *pair;
        else
            check->holes = check->holes || may_be_named(field);
    }
    root->data.mapping.pairs.top = kept;
}

bool eg_check_document(yaml_document_t *document, unsigned file, const char *name,
                       struct eg_conf_faults *faults, bool *ret_holes)
{
    struct check check = {document, file, name, faults, false};
    yaml_node_t *root = yaml_document_get_root_node(document);
    if (root->type != YAML_MAPPING_NODE || too_many_keys(&check, root)) {
        if (root->type != YAML_MAPPING_NODE)
            check_value(&check, root, &eg_schema_file, "the file");
        return false;
    }
    keep_clean_keys(&check, root, eg_schema_file.mapping.fields);
    *ret_holes = check.holes;
    return true;
}
