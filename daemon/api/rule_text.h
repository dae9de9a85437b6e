/* A rule by its text, as it would stand under `rules:`. */
#ifndef EG_API_RULE_TEXT_H
#define EG_API_RULE_TEXT_H

#include <api/call.h>

/* 0 and a configuration with that rule and the sites of the daemon's own, in the same order (Owned by the caller); or a refusal. */
int eg_rule_text_parse(struct eg_call *call, const char *text, struct eg_conf **ret);

#endif
