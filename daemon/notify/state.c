/* Remembers what each site was last said to be, and says what is new (state.h). Called by house.c on the loop's thread. */
#include <notify/state.h>
#include <base/buf.h>
#include <base/hash.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)2 << 20)

struct site {
    struct site *next;
    uint64_t told; /* hash of what went out last; 0: nothing did */
    char name[];
};

struct eg_state {
    struct eg_state_door door;
    struct site *sites; /* as many as the configuration ever named */
};

struct eg_state *eg_state_create(const struct eg_state_door *door)
{
    struct eg_state *state = calloc(1, sizeof *state);
    if (state)
        state->door = *door;
    return state;
}

void eg_state_destroy(struct eg_state *state)
{
    for (struct site *site = state ? state->sites : NULL, *next; site; site = next) {
        next = site->next;
        free(site);
    }
    free(state);
}

void eg_state_forget(struct eg_state *state)
{
    for (struct site *site = state->sites; site; site = site->next)
        site->told = 0;
}

static struct site *find(struct eg_state *state, const char *name)
{
    for (struct site *site = state->sites; site; site = site->next)
        if (strcmp(site->name, name) == 0)
            return site;
    size_t length = strlen(name) + 1;
    struct site *site = calloc(1, sizeof *site + length);
    if (site) {
        memcpy(site->name, name, length);
        site->next = state->sites;
        state->sites = site;
    }
    return site;
}

void eg_state_offer(struct eg_state *state, const char *name, const char *json, size_t length, int64_t at_ms)
{
    char topic[192], at[EG_TIME_TEXT];
    struct site *site = find(state, name);
    uint64_t hash = eg_hash(json, length, 1);
    struct eg_buf body;
    if (!site || length < 2 || hash == site->told)
        return;
    eg_buf_init(&body, BODY_MAX);
    eg_buf_printf(&body, "{\"at\":\"%s\",", eg_time_format(at_ms, at));
    eg_buf_add(&body, json + 1, length - 1);
    snprintf(topic, sizeof topic, "ecogov/state/%s/summary", name);
    if (!body.failed && state->door.publish(state->door.user, topic, body.data, body.length) >= 0)
        site->told = hash; /* else the next look offers it again */
    eg_buf_finish(&body);
}
