/* What the house does about its clock: hands what doubting.h decides to the turn. */
#ifndef EG_TRUSTING_H
#define EG_TRUSTING_H

#include "reload.h"

void eg_trusting_init(struct house *house);
void eg_trusting_redated(void *house); /* the turn's edge */
/* The socket's door: somebody has set the machine's clock (api.h). */
int eg_trusting_ask(void *house, uint64_t ticket, struct eg_err *err);

#endif
