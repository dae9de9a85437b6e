/* A recording through the real pipeline and store, with virtual time (CONTRACT §3). Prints what was decided on stdout. */
#ifndef EG_REPLAY_H
#define EG_REPLAY_H
#include <conf/conf.h>
int eg_replay_run(struct eg_conf *conf, const char *file); /* takes conf; exit status */
#endif
