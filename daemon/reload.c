/* Takes a changed configuration over, floor by floor, or refuses it whole (reload.h). Called by the loop, on SIGHUP. */
#include "reload.h"

#include <base/clock.h>
#include <base/hash.h>
#include <base/log.h>
#include <base/zone.h>

#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define FAULTS_MAX_BYTES ((size_t)64 * 1024)

static void tell(struct house *house, const char *faults, bool restart_needed)
{
    if (house->reload_ticket && house->api)
        eg_api_reloaded(house->api, house->reload_ticket, faults, house->conf, restart_needed);
    house->reload_ticket = 0;
}

uint64_t eg_reload_fixed(const struct eg_conf *conf)
{
    uint64_t hash = eg_hash(&conf->store.max_size, sizeof conf->store.max_size, 1);
    hash = eg_hash(conf->store.path, strlen(conf->store.path), hash);
    return eg_hash(conf->socket.path, strlen(conf->socket.path), hash);
}

static void take_conf(void *user)
{
    struct house *house = user;
    struct eg_err err;
    struct eg_conf *old = house->conf, *fresh = house->next_conf;
    if (!fresh) /* what was read meanwhile had faults */
        return;
    house->next_conf = NULL;
    eg_zone_use(fresh->time_zone); /* before rules ask for its hours and days */
    if (eg_pipeline_configure(house->pipeline, fresh, &err) != EG_OK)
        eg_log(EG_LOG_ERROR, "reload: %s", err.text);
    if (eg_store_configure(house->store, fresh, &err) != EG_OK)
        eg_log(EG_LOG_WARNING, "reload: %s", err.text);
    eg_turn_configure(house->turn, fresh);
    eg_doubting_configure(&house->doubting, fresh);
    eg_api_configure(house->api, fresh);
    eg_outbox_configure(house->outbox, fresh);
    eg_textfile_configure(house->textfile, fresh);
    eg_homeassistant_configure(house->home, fresh);
    bool restart_needed = !eg_mqtt_configure(house->mqtt, fresh) || eg_reload_fixed(fresh) != house->fixed;
    if (restart_needed)
        eg_log(EG_LOG_WARNING, "reload: store.path, store.max_size, socket.path, the client id, credentials, "
                               "TLS and mqtt.publish take effect with the next start");
    house->conf = fresh;
    tell(house, NULL, restart_needed);
    eg_conf_destroy(old);
    eg_fault_clear(&house->faults, "conf");
    eg_log(EG_LOG_INFO, "reload: %zu sites, %zu sources, %zu rules are in force", fresh->site_count,
           fresh->source_count, fresh->rule_count);
    sd_notify(0, "READY=1");
}

/* status shows the first fault, the log all of them. */
static void refuse_reload(struct house *house, const char *faults)
{
    eg_fault_raise(&house->faults, "conf", eg_clock_now_ms(), "the configuration was not reloaded: %.*s",
                   (int)strcspn(faults, "\n"), faults);
    eg_log(EG_LOG_ERROR, "reload refused, the old configuration goes on:");
    for (const char *line = faults; *line; line += strcspn(line, "\n"), line += *line == '\n')
        eg_log(EG_LOG_ERROR, "%.*s", (int)strcspn(line, "\n"), line);
    tell(house, faults, false);
}

void eg_reload_signal(uv_signal_t *signal, int number)
{
    struct house *house = signal->data;
    struct eg_buf faults;
    (void)number;
    if (house->leaving)
        return;
    bool waits = house->next_conf != NULL; /* for a moment between two turns; what was read since is newer */
    eg_conf_destroy(house->next_conf);
    sd_notify(0, "RELOADING=1");
    eg_buf_init(&faults, FAULTS_MAX_BYTES);
    house->next_conf = eg_conf_load(house->conf->path, &faults);
    if (!house->next_conf) {
        refuse_reload(house, faults.data ? faults.data : "no memory");
        sd_notify(0, "READY=1");
    } else if (!waits) {
        eg_turn_quiet(house->turn, take_conf, house);
    }
    eg_buf_finish(&faults);
}

bool eg_reload_ask(void *user, uint64_t ticket)
{
    struct house *house = user;
    if (house->leaving || house->reload_ticket)
        return false;
    house->reload_ticket = ticket;
    return uv_kill(uv_os_getpid(), SIGHUP) == 0;
}
