/* Who is told, when and by which way. Part of conf.h. */
#ifndef EG_CONF_PEOPLE_H
#define EG_CONF_PEOPLE_H

#include <conf/basic.h>
#include <stddef.h>

enum eg_channel_kind { EG_BY_MQTT, EG_BY_WEBHOOK, EG_BY_MAIL, EG_BY_EXEC, EG_BY_COUNT };
enum eg_format { /* what a webhook's receiver understands */
                 EG_FORMAT_JSON,
                 EG_FORMAT_TEXT,
                 EG_FORMAT_WECOM,
                 EG_FORMAT_DINGTALK,
                 EG_FORMAT_FEISHU,
                 EG_FORMAT_NTFY,
                 EG_FORMAT_SLACK,
                 EG_FORMAT_ALERTMANAGER,
                 EG_FORMAT_COUNT
};
const char *eg_channel_kind_name(enum eg_channel_kind kind);
enum eg_template { EG_TEMPLATE_LINE, EG_TEMPLATE_MESSAGE, EG_TEMPLATE_COUNT };
extern const char *const eg_template_names[]; /* what may stand in braces; ends with NULL */
struct eg_conf_channel {                      /* a way by which parties are told */
    const char *id;
    enum eg_channel_kind kind;
    const char *topic;                  /* mqtt: where to, with {party} in it perhaps */
    const char *url;                    /* webhook, mail; may hold a secret */
    enum eg_format format;              /* webhook */
    const char *secret, *token;         /* webhook: for signing, for Authorization; NULL: none */
    const char *user, *password, *from; /* mail */
    const char *ca_file;                /* NULL: the system's */
    bool tls_insecure, starttls, private_network;
    const char *program, **arguments; /* exec */
    size_t argument_count;
    int64_t timeout_ms, retry_ms, give_up_ms;
    int limit; /* messages in a minute to one receiver; 0: any number */
};
struct eg_conf_route { /* one of a party's channels, and when it is used */
    uint32_t channel;
    const char *to; /* the address there: a topic, an e-mail address, a number; "" for the channel's own */
    enum eg_level level;
    struct eg_conf_hours hours;
    unsigned days;     /* bit 0: Sunday */
    bool fallback;     /* only when one before it failed */
    int64_t repeat_ms; /* until somebody acknowledges; 0: not */
    enum eg_level repeat_level;
    int repeat_most;
    int digest_min; /* of the local day: the open cases, in one message; negative: no */
    bool digest_empty;
};
/* When a party works. Deadlines of its cases count working time only. */
#define EG_CALENDAR_HOURS 8
struct eg_conf_calendar {
    const char *id;
    uint8_t days; /* bit 0: Monday … bit 6: Sunday */
    struct {
        int from_min, to_min; /* of the local day, ascending */
    } hours[EG_CALENDAR_HOURS];
    size_t hour_count;
    struct eg_conf_dates {
        int32_t first, last; /* days since 1970-01-01, both belong to it */
    } * holidays, *workdays; /* a workday is one although its weekday is none, or a holiday */
    size_t holiday_count, workday_count;
};
/* Which cases: all that is said must fit. */
#define EG_MATCHER_DEVICE 192
struct eg_matcher {
    char site[64] /* it and all below */, domain[EG_DOMAIN_TEXT],
        device[EG_MATCHER_DEVICE] /* "a1" or "site/domain/a1" */, rule[64]; /* "": any */
    int quantity;                                                           /* EG_QUANTITY_NONE: any */
    enum eg_level level; /* those as bad as this, or less */
};
struct eg_conf_window { /* maintenance: nobody is told of what fits meanwhile */
    const char *id, *reason;
    struct eg_matcher matcher;
    struct eg_conf_hours hours;  /* from == to: all day */
    unsigned days;               /* on which it begins; bit 0: Sunday */
    struct eg_conf_dates *dates; /* on which it begins; none: any */
    size_t date_count;
};
struct eg_conf_flapping { /* a case that changes to and fro; per cent of 20 changes, newer ones weigh more */
    int64_t window_ms;    /* 0: not watched for */
    int high, low;
};
struct eg_conf_party {
    const char *id, *name;
    enum eg_sector sector;
    enum eg_language language;
    struct eg_conf_route *routes; /* none: nobody to tell */
    size_t route_count;
    struct eg_conf_hours quiet; /* from == to: none */
    const char *secret;         /* to acknowledge from afar; NULL: it cannot */
    const char **members;       /* user names, or "@group" */
    size_t member_count;        /* 0: whoever may write speaks for it */
    uint32_t calendar;          /* index in calendars, or EG_CONF_NONE: always at work */
};
bool eg_conf_is_address(const char *text); /* of e-mail, without a name */

#endif
