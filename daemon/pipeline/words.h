/* What a party is told, from the templates. Private to the pipeline. */
#ifndef EG_WORDS_H
#define EG_WORDS_H
#include <pipeline/state.h>

/* words.c: what a party is told, from the templates */
#define EG_WORDS_MAX ((size_t)12 * 1024)
struct eg_words_of {
    const struct eg_conf *conf;
    const struct eg_case *row;
    const struct eg_case_event *event;
    const struct eg_conf_party *party;
    enum eg_why why;
    const char *acknowledge; /* how it is done from afar; NULL: not */
};
struct eg_words {
    struct eg_buf line, title, text; /* line: what fits in an SMS */
};
const char *eg_words_handling(enum eg_language language, enum eg_handling handling);
void eg_words_init(struct eg_words *words);
void eg_words_write(const struct eg_words_of *of, struct eg_words *ret);
void eg_words_finish(struct eg_words *words);

#endif
