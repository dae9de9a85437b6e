/* Errors by value. Called by everyone; knows nobody. */
#include <base/err.h>

#include <stdarg.h>
#include <stdio.h>

int eg_err_set(struct eg_err *err, enum eg_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        err->code = code;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}
