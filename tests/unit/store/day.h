/* Some hours of a village as events, turn by turn: in order and late, corrected, redelivered, retained, without a time,
 * broken; cases that open, rise, turn ok, are handled; notifications that go out or fail. The same every time, so that two
 * houses can be compared. */
#ifndef TEST_STORE_DAY_H
#define TEST_STORE_DAY_H

#include "house.h"

#define DAY_TURNS 60

static inline void day_air(struct house *house, int minute, int64_t now)
{
    char payload[256], at[EG_TIME_TEXT];
    double pm25 = fabs(30 + 140 * sin(minute / 25.0)) + minute % 7;
    struct eg_message message = {.qos = 1, .mid = (uint16_t)(minute + 1)};
    snprintf(payload, sizeof payload, "{\"ts\":\"%s\",\"pm25\":%.1f,\"temperature\":%.2f}",
             eg_time_format(now - 200, at), pm25, 10 + minute / 100.0);
    house_send(house, now, message, "ecogov/shangtian/air/a1", payload);
    if (minute % 17 == 5) { /* the broker did not get our answer */
        message.dup = true;
        house_send(house, now, message, "ecogov/shangtian/air/a1", payload);
    }
    if (minute % 19 == 6) { /* the gateway sends it again by itself */
        message.mid += 1000;
        message.dup = false;
        house_send(house, now, message, "ecogov/shangtian/air/a1", payload);
    }
    if (minute % 11 == 4) { /* late: from an hour that is closed */
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%d.5}",
                 (long long)(now - 90 * MINUTE - 30000), minute);
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1", payload);
    }
    if (minute % 13 == 7) { /* a correction, of five minutes ago and of long ago */
        snprintf(payload, sizeof payload, "{\"ts\":\"%s\",\"pm25\":%d}",
                 eg_time_format(now - 5 * MINUTE - 200, at), minute);
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1", payload);
        snprintf(payload, sizeof payload, "{\"ts\":\"%s\",\"pm25\":%d}",
                 eg_time_format(now - (minute - 1) * MINUTE - 200, at), minute);
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1", payload);
    }
    if (minute % 23 == 9) { /* older than the late limit */
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":500}", (long long)(now - 30 * HOUR));
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1", payload);
    }
}

static inline void day_others(struct house *house, int minute, int64_t now)
{
    char payload[128];
    struct eg_message message = {.qos = 1, .mid = (uint16_t)(2000 + minute)};
    snprintf(payload, sizeof payload, "{\"pm10\":%d}",
             50 + minute % 3); /* no time of its own, twice in a millisecond */
    house_send(house, now, message, "ecogov/shangtian/air/a2", payload);
    message.mid += 500;
    house_send(house, now, message, "ecogov/shangtian/air/a2", payload);
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"fill_level\":%d}", (long long)now, minute % 100);
    house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/waste/b1", payload);
    if (minute % 7 == 3)
        house_send(house, now, (struct eg_message){.qos = 1, .mid = 60000}, "ecogov/shangtian/air/a1",
                   "{\"pm25\": oops");
    if (minute % 29 == 8)
        house_send(house, now, (struct eg_message){.qos = 0, .retain = true}, "ecogov/shangtian/air/a2",
                   "{\"pm10\":1}");
    if (minute % 31 == 2)
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/nowhere/air/a9", "{\"pm10\":1}");
    if (minute % 37 == 3)
        house_send(house, now, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a2",
                   "{\"pm10\":1,\"temperature\":900}");
}

static inline void day_people(struct house *house, int turn, int64_t now)
{
    char id[24];
    snprintf(id, sizeof id, "%d", 1 + turn / 12);
    if (turn % 12 == 8)
        house_ask(house, now, "acknowledge", id, NULL);
    if (turn % 12 == 9)
        house_ask(house, now, "comment", id, "on the way");
    if (turn % 12 == 10) {
        house_ask(house, now, "fix", id, NULL);
        house_ask(house, now, "close", id, "wind turned");
    }
    for (int number = 1; number <= 6 && (turn == 27 || turn == 28); number++) {
        snprintf(id, sizeof id, "%d",
                 number); /* those whose matter is over stay closed, and can be reopened */
        if (turn == 27)
            house_ask(house, now, "fix", id, NULL);
        house_ask(house, now, turn == 27 ? "close" : "reopen", id, NULL);
    }
    if (turn % 3 == 1)
        house_delivered(house, now, turn / 3, turn % 9 == 4 ? "the broker said no" : NULL);
}

/* Events of one turn into the open batch; four minutes of the village's life. */
static inline void day_turn(struct house *house, int turn)
{
    for (int i = 0; i < 4; i++) {
        int minute = turn * 4 + i;
        int64_t now = NOW + minute * MINUTE;
        day_air(house, minute, now);
        day_others(house, minute, now);
    }
    day_people(house, turn, NOW + (turn * 4 + 3) * MINUTE);
}

#endif
