/* `index`: a standard's index from values on the command line, without a daemon. */
#ifndef EG_CTL_INDEX_H
#define EG_CTL_INDEX_H
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* What was given as key=value, lower case; keys once each. */
#define INDEX_PAIRS 40
struct index_pairs {
    struct index_pair {
        char key[24];
        const char *text; /* Borrowed */
        bool used;
    } pairs[INDEX_PAIRS];
    size_t count;
};
/* The text behind a key, which is now used; `other` when it was not given. */
const char *index_text(struct index_pairs *pairs, const char *key, const char *other);
/* A number that is not negative; NAN for "-" (missing). false with a sentence on stderr. */
bool index_number(const struct index_pair *pair, double *ret_value);
/* Which of `names` the text is; -1 with a sentence that lists them. */
int index_choice(const char *key, const char *text, const char *const *names, int count);
/* false, with a sentence on stderr that says what is `known`, when a pair is left that nothing has asked for. */
bool index_all_used(const struct index_pairs *pairs, const char *known);

/* Each gives the result object (Given), or NULL with a sentence on stderr. */
cJSON *index_aqi_cn(struct index_pairs *pairs);
cJSON *index_aqi_us(struct index_pairs *pairs);
cJSON *index_who(struct index_pairs *pairs);
cJSON *index_nowcast(const char *pollutant, const char *hours);
cJSON *index_soil(struct index_pairs *pairs);
cJSON *index_salinity(struct index_pairs *pairs);
cJSON *index_waste(struct index_pairs *pairs);
#endif
