/* The daemon's log: one line per entry on stderr; with sd-daemon priority prefixes under journald ($JOURNAL_STREAM), else with
 * time and level. Library code (base … store) does not log: turn, edges and main do. Control bytes are written as \xNN. */
#ifndef EG_LOG_H
#define EG_LOG_H
enum eg_log_level { EG_LOG_ERROR = 3, EG_LOG_WARNING = 4, EG_LOG_INFO = 6, EG_LOG_DEBUG = 7 };
void eg_log_init(enum eg_log_level most); /* entries less urgent than `most` are left out; default INFO */
void eg_log(enum eg_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
