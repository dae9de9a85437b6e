/* Knows how the parameters of a call are checked against its method's table and read afterwards. Refuses to
 * know any method, and the envelope around. Called by rpc.c (check) and by the handlers m_*.c. */
#include <api/methods.h>
#include <api/nearest.h>
#include <base/span.h>
#include <base/utf8.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */

int eg_call_fail(struct eg_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->sentence, sizeof call->sentence, format, args);
    va_end(args);
    return code;
}

int eg_call_code(int eg_code)
{
    switch (eg_code) {
    case EG_EINVAL:
        return EG_RPC_PARAMS;
    case EG_ENOTFOUND:
        return EG_RPC_NOT_FOUND;
    case EG_ECONFLICT:
        return EG_RPC_CONFLICT;
    case EG_EFORBIDDEN:
        return EG_RPC_FORBIDDEN;
    case EG_EBUSY:
    case EG_EFULL:
        return EG_RPC_BUSY;
    default:
        return EG_RPC_INTERNAL;
    }
}

int eg_call_fail_err(struct eg_call *call, const struct eg_err *err)
{
    return eg_call_fail(call, eg_call_code(err->code), "%s", err->text);
}

int eg_call_no_store(struct eg_call *call)
{
    return eg_call_fail(call, EG_RPC_BUSY, "The store cannot be read now; ask again in a moment.");
}

int eg_call_full(struct eg_call *call)
{
    return eg_call_fail(call, EG_RPC_BUSY,
                        "The daemon has too many commands waiting; ask again in a moment.");
}

int eg_call_hand_over(struct eg_call *call, struct eg_command *command)
{
    struct eg_desk *desk = call->desk;
    command->user = eg_client_user(call->client);
    command->ticket = call->ticket = call->asked ? ++desk->last_ticket : 0;
    return desk->door->command(desk->door->user, command) ? EG_CALL_LATER : eg_call_full(call);
}

/* --- checking --- */

static bool parse_time(const struct eg_call *call, const char *text, int64_t *ret_ms)
{
    if (strcmp(text, "now") == 0) {
        *ret_ms = call->state.now_ms;
        return true;
    }
    if (text[0] == '-' || text[0] == '+') {
        int64_t span;
        if (!eg_span_parse(text + 1, &span) || span > TIME_MAX_MS)
            return false;
        int64_t ms = call->state.now_ms + (text[0] == '-' ? -span : span);
        *ret_ms = ms < 0 ? 0 : ms > TIME_MAX_MS ? TIME_MAX_MS : ms;
        return true;
    }
    return eg_time_parse(text, strlen(text), ret_ms);
}

static bool listed(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = choices; *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, word, n) == 0)
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

static int check_text(struct eg_call *call, const struct eg_param *param, const cJSON *value, size_t most,
                      bool may_be_empty)
{
    if (!cJSON_IsString(value))
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be a text.", call->method->name,
                            param->name);
    size_t length = strlen(value->valuestring);
    if (length == 0 && !may_be_empty)
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" is empty; leave it out or say which.",
                            call->method->name, param->name);
    if (length > most)
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" is %zu bytes long; at most %zu are taken.",
                            call->method->name, param->name, length, most);
    return 0;
}

static int check_int(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    if (!cJSON_IsNumber(value) || value->valuedouble != floor(value->valuedouble) ||
        !(value->valuedouble >= (double)param->low) || !(value->valuedouble <= (double)param->high))
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be a whole number from %lld to %lld.",
                            call->method->name, param->name, (long long)param->low, (long long)param->high);
    return 0;
}

static int check_choice(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    if (!cJSON_IsString(value) || !listed(param->choices, value->valuestring))
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be one of: %s.", call->method->name,
                            param->name, param->choices);
    return 0;
}

static int check_choices(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) == 0)
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be an array holding some of: %s.",
                            call->method->name, param->name, param->choices);
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        int code = check_choice(call, param, item);
        if (code)
            return code;
    }
    return 0;
}

static int check_rows(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    int size = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : 0;
    bool arrays = size >= 1 && size <= param->high;
    const cJSON *item = arrays ? value->child : NULL;
    for (; item; item = item->next)
        arrays = arrays && cJSON_IsArray(item);
    return arrays ? 0
                  : eg_call_fail(call, EG_RPC_PARAMS,
                                 "%s: \"%s\" must be an array of 1 to %d rows, each an array.",
                                 call->method->name, param->name, (int)param->high);
}

static int check_quantity(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    int code = check_text(call, param, value, EG_CALL_NAME_MAX - 1, false);
    if (code)
        return code;
    if (eg_quantity_find(value->valuestring, strlen(value->valuestring)) != EG_QUANTITY_NONE)
        return 0;
    struct eg_nearest nearest;
    char hint[96];
    eg_nearest_init(&nearest, value->valuestring);
    for (int q = 0; q < EG_QUANTITY_COUNT; q++)
        eg_nearest_offer(&nearest, eg_quantity_info(q)->name);
    return eg_call_fail(call, EG_RPC_PARAMS, "%s: there is no quantity \"%s\"%s", call->method->name,
                        value->valuestring, eg_nearest_end(&nearest, hint, sizeof hint));
}

static int check_cursor(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    size_t length = strlen(text), digits = strspn(text, "0123456789");
    if (length == 0 || length > 18 || digits != length)
        return eg_call_fail(call, EG_RPC_PARAMS,
                            "%s: \"%s\" must be what \"next\" said in the answer before.", call->method->name,
                            param->name);
    return 0;
}

static int check_time(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    int64_t ms;
    if (!cJSON_IsString(value) || !parse_time(call, value->valuestring, &ms))
        return eg_call_fail(
            call, EG_RPC_PARAMS,
            "%s: \"%s\" must be a time as 2026-11-23T07:00:00Z, \"now\", or a span from now as -24h.",
            call->method->name, param->name);
    return 0;
}

static int check_path(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    if (!cJSON_IsNumber(value))
        return check_text(call, param, value, EG_CALL_PATH_MAX - 1, false);
    if (value->valuedouble != floor(value->valuedouble) || !(value->valuedouble >= 0) ||
        !(value->valuedouble <= 1e9))
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be a text or a whole number.",
                            call->method->name, param->name);
    return 0;
}

static int check_value(struct eg_call *call, const struct eg_param *param, const cJSON *value)
{
    switch (param->kind) {
    case EG_PARAM_TEXT:
        return check_text(call, param, value, EG_CALL_NAME_MAX - 1, false);
    case EG_PARAM_LIST:
        return check_text(call, param, value, EG_CALL_LIST_MAX - 1, false);
    case EG_PARAM_CHANNEL:
        return check_text(call, param, value, EG_CALL_NAME_MAX - 1, true);
    case EG_PARAM_NOTE:
        return check_text(call, param, value, EG_CALL_TEXT_MAX, true);
    case EG_PARAM_PATH:
        return check_path(call, param, value);
    case EG_PARAM_INT:
        return check_int(call, param, value);
    case EG_PARAM_NUMBER:
        if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
            return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be a number.", call->method->name,
                                param->name);
        return 0;
    case EG_PARAM_BOOL:
        if (!cJSON_IsBool(value))
            return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" must be true or false.", call->method->name,
                                param->name);
        return 0;
    case EG_PARAM_TIME:
        return check_time(call, param, value);
    case EG_PARAM_CHOICE:
        return check_choice(call, param, value);
    case EG_PARAM_CHOICES:
        return check_choices(call, param, value);
    case EG_PARAM_QUANTITY:
        return check_quantity(call, param, value);
    case EG_PARAM_ROWS:
        return check_rows(call, param, value);
    case EG_PARAM_CURSOR:
        return check_cursor(call, param, value);
    }
    return 0;
}

static int fail_unknown(struct eg_call *call, const char *name)
{
    struct eg_nearest nearest;
    char hint[96];
    eg_nearest_init(&nearest, name);
    for (const struct eg_param *param = call->method->params; param && param->name; param++)
        eg_nearest_offer(&nearest, param->name);
    return eg_call_fail(call, EG_RPC_PARAMS, "%s has no parameter \"%.64s\"%s", call->method->name, name,
                        eg_nearest_end(&nearest, hint, sizeof hint));
}

int eg_call_check(struct eg_call *call, const cJSON *params)
{
    if (cJSON_IsArray(params) && cJSON_GetArraySize(params) == 0)
        params = NULL;
    if (params && !cJSON_IsObject(params))
        return eg_call_fail(call, EG_RPC_PARAMS, "%s: params are given by name, as an object.",
                            call->method->name);

    uint64_t seen = 0; /* bit by position in the table: no method has 64 parameters */
    const cJSON *value;
    cJSON_ArrayForEach(value, params)
    {
        const struct eg_param *param = call->method->params;
        while (param && param->name && strcmp(param->name, value->string) != 0)
            param++;
        if (!param || !param->name)
            return fail_unknown(call, value->string);
        uint64_t bit = UINT64_C(1) << (param - call->method->params);
        if (seen & bit)
            return eg_call_fail(call, EG_RPC_PARAMS, "%s: \"%s\" is given twice.", call->method->name,
                                param->name);
        seen |= bit;
        if (cJSON_IsNull(value)) /* as if it were not there */
            continue;
        int code = check_value(call, param, value);
        if (code)
            return code;
    }
    call->params = params;
    for (const struct eg_param *param = call->method->params; param && param->name; param++)
        if (param->required && !eg_call_given(call, param->name))
            return eg_call_fail(call, EG_RPC_PARAMS, "%s needs the parameter \"%s\".", call->method->name,
                                param->name);
    return 0;
}

/* --- reading --- */

static const cJSON *given(const struct eg_call *call, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(call->params, name);
    return value && !cJSON_IsNull(value) ? value : NULL;
}

bool eg_call_given(const struct eg_call *call, const char *name)
{
    return given(call, name) != NULL;
}

const char *eg_call_text(const struct eg_call *call, const char *name)
{
    const cJSON *value = given(call, name);
    return value ? cJSON_GetStringValue(value) : NULL;
}

const char *eg_call_path(const struct eg_call *call, const char *name, char out[EG_CALL_NUMBER_MAX])
{
    const cJSON *value = given(call, name);
    if (!cJSON_IsNumber(value))
        return value ? value->valuestring : NULL;
    snprintf(out, EG_CALL_NUMBER_MAX, "%lld", (long long)value->valuedouble); /* checked: at most 1e9 */
    return out;
}

int64_t eg_call_int(const struct eg_call *call, const char *name, int64_t otherwise)
{
    const cJSON *value = given(call, name);
    if (!value)
        return otherwise;
    return cJSON_IsString(value) ? (int64_t)strtoll(value->valuestring, NULL, 10)
                                 : (int64_t)value->valuedouble;
}

double eg_call_number(const struct eg_call *call, const char *name)
{
    const cJSON *value = given(call, name);
    return value ? value->valuedouble : 0;
}

bool eg_call_bool(const struct eg_call *call, const char *name)
{
    return cJSON_IsTrue(given(call, name));
}

int64_t eg_call_time(const struct eg_call *call, const char *name, int64_t otherwise)
{
    const cJSON *value = given(call, name);
    int64_t ms;
    return value && parse_time(call, value->valuestring, &ms) ? ms : otherwise;
}

int eg_call_quantity(const struct eg_call *call)
{
    const char *name = eg_call_text(call, "quantity");
    return name ? eg_quantity_find(name, strlen(name)) : EG_QUANTITY_NONE;
}
