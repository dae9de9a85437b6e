/* Private to the guess: what its files share. */
#ifndef EG_CTL_GUESS_INSIDE_H
#define EG_CTL_GUESS_INSIDE_H
#include "guess.h"

/* guess_leaf.c */
/* The bytes of the character at `at` when YAML does not take it as it is: controls, line separators; else 0. */
size_t guess_odd(const char *at);
bool guess_same(const char *a, const char *b); /* ASCII case does not matter; NULL is nobody's */
/* Appends "/key", escaped. False: it is too long. */
bool guess_append(char pointer[GUESS_POINTER], const char *key);
/* Puts what is below `from`, but not below `avoid`, behind the leaves that are there. */
void guess_gather(struct guess *guess, const cJSON *from, const cJSON *avoid);
/* A number, or a text that begins with one and goes on with a unit at the most. */
bool guess_number(const cJSON *item, double *ret_number, const char **ret_unit);
bool guess_is_time(const cJSON *item, bool *ret_zoneless, bool *ret_nanoseconds);

/* guess_field.c */
/* Takes the leaf as a field, if its name says a quantity. `key`: instead of its own, the element's. */
bool guess_take_field(struct guess *guess, struct guess_leaf *leaf, const char *key);
void guess_settle(struct guess *guess); /* all are taken: those of one quantity are told apart */

/* guess_shape.c */
struct guess_found {
    const cJSON *array, *head; /* head: of a table */
    enum guess_shape shape;
    size_t score; /* values in it that are understood */
    char pointer[GUESS_POINTER], key[GUESS_POINTER], value[GUESS_POINTER];
};
/* How many values below it have a name that is understood. */
size_t guess_count(const cJSON *element, const char **keys, size_t depth);
/* The array of most such values, if there is one; `pointer`: of `item`. */
void guess_find_array(const cJSON *item, char pointer[GUESS_POINTER], size_t depth,
                      struct guess_found *best_found);
#endif
