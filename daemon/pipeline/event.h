/* What comes in by the one door. Everything borrowed, for the call. */
#ifndef EG_EVENT_H
#define EG_EVENT_H
#include <ecogov/message.h>
#include <ecogov/reading.h>
#include <stdint.h>

enum eg_event_kind {
    EG_EVENT_MESSAGE,
    EG_EVENT_COMMAND,
    EG_EVENT_DELIVERY,
    EG_EVENT_TICK,
    EG_EVENT_IMPORT,
    EG_EVENT_REPORT,
    EG_EVENT_RETRY,
    EG_EVENT_LINK, /* the broker is heard from here on, or is not any more */
    EG_EVENT_CLOCK /* what becomes of the gateway's clock */
};

/* What is known of the clock by which messages are dated that have no time of their own. */
enum eg_clock_is {
    EG_CLOCK_DOUBTED, /* from here on */
    EG_CLOCK_TRUSTED, /* again: `was_ms` was `now_ms` */
    EG_CLOCK_LEAPT    /* it is trusted, and has jumped */
};
struct eg_clock_news {
    enum eg_clock_is is;
    int64_t was_ms;
    int64_t boot_us; /* of DOUBTED: since the machine started, at `now_ms` */
    char boot[40];   /* that start */
    uint64_t ticket; /* who said so; as a command's */
    char why[24];    /* "store" "release" "rtc" "step"; of TRUSTED: "ntp" "devices" "person" */
};

/* A write over the socket (or a command line of a recording). */
struct eg_command {
    const char *verb; /* "acknowledge" "assign" "start" "fix" "verify" "close" "reject" "reopen" "comment" */
    const char *case_id;   /* the id, or its number */
    const char *user;      /* who, as the kernel says */
    const char *note;      /* NULL or text */
    const char *party;     /* NULL or a party's id */
    int64_t until_ms;      /* EG_TIME_NONE when not given */
    int64_t version;       /* the version the writer has seen, or -1 */
    uint64_t ticket;       /* echoed in the batch's answer; 0: nobody waits */
    const char *reason;    /* of a rejection: NULL or a word of eg_handling_reasons */
    const char *member_of; /* ids of the parties whose @groups the user is in, blank-separated; NULL: none */
    bool clerk;            /* the user may enter what others did */
    const char *rule, *site, *level; /* of a drill or a silence; NULL else. level: NULL or a name */
    int64_t faster;                  /* of a drill: its deadlines run so many times faster; 0: they do not */
    const char *domain, *device, *quantity; /* of a silence: NULL or what it is about */
    int64_t starts_ms;                      /* of a silence: 0 or EG_TIME_NONE: now; until_ms: its end */
};
/* What became of a notification. The row itself comes along, since the pipeline does not keep it. */
enum eg_setback {
    EG_SETBACK_FINAL,  /* refused for good: another way, or none */
    EG_SETBACK_TRIED,  /* it will be tried again; worth noting */
    EG_SETBACK_GATHER, /* several wait for one receiver: one message for all of them; outbox_id is the first */
    EG_SETBACK_MOOT,   /* it was not sent: what it says is not so any more */
    EG_SETBACK_GIVE_UP, /* it was tried for too long: another way, if there is one; else it goes on trying */
};
#define EG_GATHER_ITEMS 500
struct eg_gather_item { /* one of several that become one */
    int64_t id, created_ms;
    uint32_t case_number;
    uint8_t level;
    char line[164];
};
struct eg_delivery {
    int64_t outbox_id;
    bool delivered;
    const char *error; /* NULL when delivered */
    enum eg_setback setback;
    unsigned tries;
    int64_t failing_since_ms;
    bool more; /* others wait behind it for this to be on disk */
    const char *party, *channel, *recipient, *key, *body, *why, *line; /* of a row to a party; else NULL */
    uint32_t case_number;
    uint8_t level;
    int64_t created_ms;
    const struct eg_gather_item *items; /* of EG_SETBACK_GATHER */
    size_t item_count;
    bool late; /* they should have been there long ago */
};
/* History from elsewhere, row by row as an export writes it. */
#define EG_IMPORT_ROWS 1000
#define EG_IMPORT_NAME 64
struct eg_import_row {
    char site[EG_IMPORT_NAME], domain[EG_IMPORT_NAME] /* "": the device's */, device[EG_IMPORT_NAME];
    struct eg_reading reading; /* flags: those it had */
};
struct eg_import {
    const struct eg_import_row *rows;
    size_t count;
    int64_t first;   /* the number of rows[0], for sentences */
    uint64_t ticket; /* as a command's */
};
/* What was quarantined, to be read once more: the configuration has changed since. */
#define EG_RETRY_ROWS 64
struct eg_retry_row {
    int64_t id;                /* in the quarantine */
    bool rejected;             /* it counts as decoded: some of its readings were not admitted */
    size_t full_len;           /* more than the message has: it was cut */
    struct eg_message message; /* as it came then, with its arrival time; mid 0 */
};
struct eg_retry {
    const struct eg_retry_row *rows;
    size_t count;
    bool one;        /* asked for by its id: that it stays is a refusal */
    int64_t next;    /* echoed in the answer: there are more behind this id; 0: there are not */
    uint64_t ticket; /* as a command's */
};
/* An observation made by a person. */
struct eg_report {
    const char *site, *domain;
    const char *device;         /* NULL: "manual" */
    const char *text;           /* NULL or what was seen */
    const char *reporter;       /* NULL or who saw it */
    const char *photo;          /* NULL or its SHA-256 */
    const char *case_id;        /* NULL: the one that is there */
    const char *user;           /* who entered it */
    const char *party;          /* as a command's */
    const char *member_of;      /* likewise */
    bool clerk;                 /* likewise */
    int quantity;               /* EG_QUANTITY_NONE: nothing was measured */
    double value;               /* canonical unit */
    int64_t time_ms;            /* EG_TIME_NONE: now */
    double latitude, longitude; /* NaN */
    enum eg_repair repair;
    uint64_t ticket;
};
struct eg_event {
    enum eg_event_kind kind;
    int64_t now_ms;
    union {
        struct eg_message message;
        struct eg_command command;
        struct eg_delivery delivery;
        struct eg_import import;
        struct eg_report report;
        struct eg_retry retry;
        bool link_up;
        struct eg_clock_news clock;
    };
};
#endif
