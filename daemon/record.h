/* Writes what the broker sends into a recording, until SIGINT or SIGTERM. Stores and decides nothing. */
#ifndef EG_RECORD_H
#define EG_RECORD_H
#include <conf/conf.h>
int eg_record_run(struct eg_conf *conf, const char *file); /* takes conf; exit status */
#endif
