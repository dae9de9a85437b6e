/* The settings that stand once: broker, store, socket, and what else the daemon puts out. Part of conf.h. */
#ifndef EG_CONF_SETTINGS_H
#define EG_CONF_SETTINGS_H

#include <conf/basic.h>
#include <stddef.h>

struct eg_conf_mqtt {
    const char *host;
    int port;
    const char *client_id;
    const char *user, *password, *password_file; /* NULL where not given; password_file wins */
    const char *ca_file, *cert_file, *key_file;  /* ca_file switches TLS on */
    bool tls, tls_insecure;
    int keepalive_s;
    int receive_maximum;       /* default 65535 */
    int64_t session_expiry_ms; /* default 7d */
    bool publish;              /* outgoing MQTT (CONTRACT §6); default true */
};
#define EG_CONF_RETAIN_MAX 256
struct eg_conf_retain {
    const char *domain;              /* NULL: any */
    int quantity;                    /* EG_QUANTITY_NONE: any */
    int64_t raw_ms, hour_ms, day_ms; /* negative: not said here; 0: for ever */
};
struct eg_conf_store {
    const char *path;
    int64_t commit_interval_ms;    /* default 1 s */
    int64_t retain_raw_ms;         /* default 400 d; 0 in any of these: for ever */
    int64_t retain_hour_ms;        /* default 1825 d */
    int64_t retain_day_ms;         /* default 0 */
    struct eg_conf_retain *retain; /* by domain and quantity: the most specific wins */
    size_t retain_count;
    int64_t max_size;        /* bytes, default 4 GB */
    int64_t endurance_bytes; /* the card's, default 10 TB; 0: not estimated */
};
struct eg_conf_socket {
    const char *path;
    const char **supervisors;
    size_t supervisor_count; /* user names, or "@group" */
    /* Who enters what others did: names, or "@group". Not told: root and the daemon's own user, who are nobody in particular. */
    const char **clerks;
    size_t clerk_count;
    bool clerks_told;
};
struct eg_conf_board {
    const char *dir;
    int64_t interval_ms;
};
struct eg_conf_homeassistant { /* discovery over MQTT */
    bool enable, take_back;    /* take_back: it was switched off by hand: what was announced is taken back */
    const char *prefix;
    enum eg_language language;
    int64_t interval_ms; /* a device's state is not said more often */
    int64_t retire_ms;   /* not heard for so long, it is taken back; 0: never */
};
struct eg_conf_metrics {
    const char *file;    /* for node_exporter's textfile collector; NULL: none */
    int64_t interval_ms; /* default 60 s */
};

#endif
