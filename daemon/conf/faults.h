/* Faults of a configuration, collected and put in order. Private to the room. */
#ifndef EG_CONF_FAULTS_H
#define EG_CONF_FAULTS_H

#include <base/buf.h>
#include <yaml.h>

#define EG_CONF_FAULTS_MAX 500

struct eg_conf_fault {
    unsigned file;       /* in reading order */
    size_t line, column; /* from 1 */
    const char *name;
    char text[400];
};
struct eg_conf_faults {
    struct eg_conf_fault *rows;
    size_t count, capacity;
    bool failed; /* no memory to say it */
};
void eg_faults_add(struct eg_conf_faults *faults, unsigned file, const char *name, yaml_mark_t mark,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
void eg_faults_write(struct eg_conf_faults *faults, struct eg_buf *out); /* sorted, a line each */
void eg_faults_finish(struct eg_conf_faults *faults);

/* The candidate nearest to `word`, or NULL when none is near. `next` gives candidates until NULL. */
const char *eg_faults_nearest(const char *word, const char *(*next)(const void *from, size_t index),
                              const void *from);

#endif
