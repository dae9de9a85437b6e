/* Errors by value: a code from one list and a sentence set at the deepest place. Propagate, do not overwrite. */
#ifndef EG_ERR_H
#define EG_ERR_H

enum eg_code {
    EG_OK = 0,
    EG_EINVAL = -1, /* what was handed in makes no sense */
    EG_ENOMEM = -2,
    EG_EIO = -3,   /* disk, socket, database */
    EG_EFULL = -4, /* a written maximum is reached */
    EG_ENOTFOUND = -5,
    EG_ECONFLICT = -6, /* the object has moved on, or the transition is not allowed */
    EG_EFORBIDDEN = -7,
    EG_EBUSY = -8,
    EG_ECORRUPT = -9, /* a file does not hold what it should */
};
struct eg_err {
    enum eg_code code;
    char text[512];
};
/* Sets code and sentence, gives the code back. `err` may be NULL. */
int eg_err_set(struct eg_err *err, enum eg_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
