/* What the house holds, for the two files that build and rebuild it: house.c and reload.c. */
#ifndef EG_RELOAD_H
#define EG_RELOAD_H

#include "doubting.h"
#include "turn.h"
#include "watchdog.h"

#include <api/api.h>
#include <mqtt/mqtt.h>
#include <notify/outbox.h>
#include <notify/state.h>
#include <notify/homeassistant.h>
#include <notify/textfile.h>

struct house {
    uv_loop_t loop;
    struct eg_conf *conf, *next_conf;
    struct eg_faults faults;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_turn *turn;
    struct eg_mqtt *mqtt;
    struct eg_api *api;
    struct eg_outbox *outbox;
    struct eg_state *state;
    struct eg_homeassistant *home;
    struct eg_textfile *textfile;
    uv_signal_t term, interrupt, hup;
    struct eg_watchdog watchdog;
    uv_timer_t summary;
    struct eg_doubting doubting;
    int64_t started_ms;
    uint64_t fixed;         /* eg_reload_fixed() of the start */
    uint64_t reload_ticket; /* who asked for a reload over the socket; 0: nobody */
    bool leaving, has_signals, linked;
    int status;
};

/* Of what only a start takes: a hash. */
uint64_t eg_reload_fixed(const struct eg_conf *conf);
/* SIGHUP: all of the new configuration, between two turns, or none of it. `signal->data`: the house. */
void eg_reload_signal(uv_signal_t *signal, int number);
/* The same, asked for over the socket (api.h); false: one is under way. */
bool eg_reload_ask(void *user, uint64_t ticket);

#endif
