/* Knows which devices a filter means: a site with all below it, a device by its name or its path.
 * Refuses to know what is done with them. Called by the handlers m_*.c and by watch.c.
 */
#include <api/call.h>
#include <api/nearest.h>

#include <stdio.h>
#include <string.h>

/* A site that left the configuration may still have devices, and cases. */
static bool has_devices(const struct eg_pipeline *pipeline, const char *site)
{
    struct eg_device_view view;
    size_t count = eg_pipeline_device_count(pipeline);
    for (size_t id = 1; id <= count; id++)
        if (eg_pipeline_device(pipeline, (uint32_t)id, &view) && strcmp(view.site, site) == 0)
            return true;
    return false;
}

int eg_call_scope(struct eg_call *call, struct eg_scope *ret_scope)
{
    const char *name = eg_call_text(call, "site");
    const struct eg_conf *conf = call->desk->conf;
    struct eg_scope scope = {.all = !name, .site = EG_CONF_NONE};
    if (name) {
        scope.site = eg_conf_site_find(conf, name, strlen(name));
        if (scope.site == EG_CONF_NONE && !has_devices(call->desk->pipeline, name)) {
            struct eg_nearest nearest;
            char hint[96];
            eg_nearest_init(&nearest, name);
            for (size_t i = 0; i < conf->site_count; i++)
                eg_nearest_offer(&nearest, conf->sites[i].id);
            return eg_call_fail(call, EG_RPC_NOT_FOUND, "There is no site \"%s\"%s", name,
                                eg_nearest_end(&nearest, hint, sizeof hint));
        }
        snprintf(scope.name, sizeof scope.name, "%s", name);
    }
    *ret_scope = scope;
    return 0;
}

bool eg_scope_has(const struct eg_conf *conf, const struct eg_scope *scope, const char *site)
{
    if (scope->all || strcmp(scope->name, site) == 0)
        return true;
    if (scope->site == EG_CONF_NONE)
        return false;
    uint32_t index = eg_conf_site_find(conf, site, strlen(site));
    return index != EG_CONF_NONE && eg_conf_site_within(conf, index, scope->site);
}

bool eg_scope_has_device(const struct eg_conf *conf, const struct eg_scope *scope,
                         const struct eg_device_view *view)
{
    if (scope->all || strcmp(scope->name, view->site) == 0)
        return true;
    return scope->site != EG_CONF_NONE && view->conf_site != EG_CONF_NONE &&
           eg_conf_site_within(conf, view->conf_site, scope->site);
}

bool eg_call_device_is(const struct eg_device_view *view, const char *name)
{
    if (!strchr(name, '/'))
        return strcmp(view->device, name) == 0;
    size_t site = strlen(view->site), domain = strlen(view->domain);
    return strncmp(name, view->site, site) == 0 && name[site] == '/' &&
           strncmp(name + site + 1, view->domain, domain) == 0 && name[site + 1 + domain] == '/' &&
           strcmp(name + site + domain + 2, view->device) == 0;
}
