/* A rule, and what of it stands in other answers, as JSON. */
#ifndef EG_API_RULE_JSON_H
#define EG_API_RULE_JSON_H

#include <conf/conf.h>
#include <base/json.h>

void eg_rule_json(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_rule *rule);
/* What must be so for a band: {"land_use":["paddy"],"soil_ph":[null,5.5]} */
void eg_rule_json_when(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_rule *rule,
                       const struct eg_conf_band *band);

#endif
