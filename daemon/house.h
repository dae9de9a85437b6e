/* The house: all floors, built bottom up and taken down in mirror order. */
#ifndef EG_HOUSE_H
#define EG_HOUSE_H
#include <conf/conf.h>
/* Runs the daemon until SIGTERM or SIGINT. Takes `conf`. Exit status for main(). */
int eg_house_run(struct eg_conf *conf);
#endif
