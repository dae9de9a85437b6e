/* Remembers what each site was last said to be, and queues what is new (state.h). Called by house.c on the loop's thread. */
#include <notify/state.h>
#include <base/hash.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct site {
    struct site *next;
    uint64_t told;    /* hash of what went out last; 0: nothing did */
    uint64_t waiting; /* hash of `body` */
    char *body;       /* not out yet, or NULL; Owned */
    size_t length;
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
        free(site->body);
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
    char head[64], at[EG_TIME_TEXT];
    struct site *site = find(state, name);
    uint64_t hash = eg_hash(json, length, 1);
    if (!site || length < 2 || hash == (site->body ? site->waiting : site->told))
        return;
    int front = snprintf(head, sizeof head, "{\"at\":\"%s\",", eg_time_format(at_ms, at));
    char *body = malloc((size_t)front + length);
    if (!body)
        return; /* the next look offers it again */
    memcpy(body, head, (size_t)front);
    memcpy(body + front, json + 1, length - 1);
    free(site->body);
    site->body = body;
    site->length = (size_t)front + length - 1;
    site->waiting = hash;
}

void eg_state_pump(struct eg_state *state)
{
    char topic[192];
    for (struct site *site = state->sites; site; site = site->next) {
        if (!site->body)
            continue;
        snprintf(topic, sizeof topic, "ecogov/state/%s/summary", site->name);
        if (state->door.publish(state->door.user, topic, site->body, site->length) < 0)
            return;
        site->told = site->waiting;
        free(site->body);
        site->body = NULL;
    }
}
