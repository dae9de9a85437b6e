/* Knows which rules there are. Refuses to know how they judge. Called by the table in methods.c. */
#include <api/methods.h>
#include <api/rule_json.h>

#include <string.h>

static bool wanted(const struct eg_call *call, const char *param, const char *value)
{
    const char *text = eg_call_text(call, param);
    return !text || (value && strcmp(text, value) == 0);
}

/* A rule holds at a site when it names none, or one that the site is within. */
static bool rule_holds(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                       const struct eg_scope *scope)
{
    if (scope->all || rule->site_count == 0)
        return true;
    for (size_t i = 0; i < rule->site_count && scope->site != EG_CONF_NONE; i++)
        if (eg_conf_site_within(conf, scope->site, rule->sites[i]) ||
            eg_conf_site_within(conf, rule->sites[i], scope->site))
            return true;
    return false;
}

int eg_m_rules_list(struct eg_call *call)
{
    const struct eg_conf *conf = call->desk->conf;
    struct eg_scope scope;
    int quantity = eg_call_quantity(call), code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    eg_json_open(call->json, '[');
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct eg_conf_rule *rule = &conf->rules[i];
        if (wanted(call, "rule", rule->id) && (!rule->domain || wanted(call, "domain", rule->domain)) &&
            (quantity == EG_QUANTITY_NONE || rule->quantity == quantity) && rule_holds(conf, rule, &scope))
            eg_rule_json(call->json, conf, rule);
    }
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}
