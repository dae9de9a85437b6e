/* A program of the administrator's: the message as JSON on its standard input, no shell, a small environment, so long and no longer.
 * That is how an SMS modem, a loudspeaker or a siren is attached. Knows processes and what their exit means. Called by lanes.c. */
#include <notify/ways.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SAID_MAX 160
#define PATIENCE_MS 2000 /* between SIGTERM and SIGKILL */
#define VARIABLES 12
#define ARGUMENTS_MAX 34

struct eg_program {
    struct eg_program *next;
    struct eg_ways *ways; /* NULL: nobody is told any more */
    void *ticket;
    uv_process_t process;
    uv_pipe_t input, output;
    uv_timer_t timer;
    uv_write_t write;
    struct eg_buf body;
    char said[SAID_MAX + 1], scrap[4096];
    size_t said_length;
    int64_t exit_status;
    int signal, handles;
    bool exited, late;
};

static void closed_one(uv_handle_t *handle)
{
    struct eg_program *program = handle->data;
    if (--program->handles)
        return;
    eg_buf_finish(&program->body);
    free(program);
}

static void close_all(struct eg_program *program)
{
    uv_handle_t *const handles[] = {(uv_handle_t *)&program->process, (uv_handle_t *)&program->input,
                                    (uv_handle_t *)&program->output, (uv_handle_t *)&program->timer};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], closed_one);
}

/* sysexits.h: what cannot get better by itself. */
static bool is_final(int64_t status)
{
    static const int codes[] = {EX_USAGE,    EX_DATAERR,   EX_NOUSER, EX_NOHOST,
                                EX_SOFTWARE, EX_CANTCREAT, EX_NOPERM, EX_CONFIG};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (status == codes[i])
            return true;
    return false;
}

static void tell(struct eg_program *program)
{
    struct eg_ways *ways = program->ways;
    struct eg_outcome outcome = {EG_ARRIVED, 0, ""};
    struct eg_program **place = ways ? &ways->programs : NULL;
    if (!ways)
        return;
    for (; *place; place = &(*place)->next)
        if (*place == program) {
            *place = program->next;
            break;
        }
    program->ways = NULL;
    program->said[strcspn(program->said, "\r\n")] = '\0';
    if (program->late)
        eg_outcome_set(&outcome, EG_AGAIN, "the program took too long and was ended");
    else if (program->signal)
        eg_outcome_set(&outcome, EG_AGAIN, "the program was ended by signal %d", program->signal);
    else if (program->exit_status)
        eg_outcome_set(&outcome, is_final(program->exit_status) ? EG_NEVER : EG_AGAIN, "exit %d%s%s",
                       (int)program->exit_status, *program->said ? ": " : "", program->said);
    ways->done(ways->user, program->ticket, &outcome);
}

static void on_ended(uv_process_t *process, int64_t exit_status, int number)
{
    struct eg_program *program = process->data;
    program->exited = true;
    program->exit_status = exit_status;
    program->signal = number;
    kill(-process->pid, SIGKILL); /* what it left behind in its group */
    tell(program);
    close_all(program);
}

static void on_late(uv_timer_t *timer)
{
    struct eg_program *program = timer->data;
    kill(-program->process.pid, program->late ? SIGKILL : SIGTERM);
    program->late = true;
    uv_timer_start(timer, on_late, PATIENCE_MS, 0);
}

static void on_written(uv_write_t *write, int status)
{
    struct eg_program *program = write->data;
    (void)status; /* one that does not read its input may still have done its work: its exit says so */
    if (!uv_is_closing((uv_handle_t *)&program->input))
        uv_close((uv_handle_t *)&program->input, closed_one);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct eg_program *program = handle->data;
    (void)suggested;
    *ret = uv_buf_init(program->scrap, sizeof program->scrap);
}

static void on_said(uv_stream_t *stream, ssize_t length, const uv_buf_t *buf)
{
    struct eg_program *program = stream->data;
    if (length < 0) {
        uv_read_stop(stream);
        return;
    }
    size_t room = SAID_MAX - program->said_length, take = (size_t)length < room ? (size_t)length : room;
    memcpy(program->said + program->said_length, buf->base, take);
    program->said_length += take;
}

/* --- starting it --- */

static void environment(const struct eg_parcel *parcel, char lines[VARIABLES][800], char *ret[VARIABLES + 1])
{
    static const char *const kept[] = {"PATH", "TZ", "LANG"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (getenv(kept[i]))
            snprintf(lines[count++], 800, "%s=%s", kept[i], getenv(kept[i]));
    snprintf(lines[count++], 800, "ECOGOV_PARTY=%s", parcel->party);
    snprintf(lines[count++], 800, "ECOGOV_TO=%s", parcel->recipient);
    snprintf(lines[count++], 800, "ECOGOV_KEY=%s", parcel->key);
    snprintf(lines[count++], 800, "ECOGOV_WHY=%s", parcel->why);
    snprintf(lines[count++], 800, "ECOGOV_LINE=%s", parcel->line);
    snprintf(lines[count++], 800, "ECOGOV_LEVEL=%s", eg_level_name((enum eg_level)parcel->level));
    snprintf(lines[count++], 800, "ECOGOV_CASE=%u", parcel->case_number);
    for (size_t i = 0; i < count; i++)
        ret[i] = lines[i];
    ret[count] = NULL;
}

static int spawn(struct eg_program *program, const struct eg_conf_channel *channel,
                 const struct eg_parcel *parcel)
{
    char lines[VARIABLES][800], *variables[VARIABLES + 1], *arguments[ARGUMENTS_MAX + 1];
    size_t count = 0;
    arguments[count++] = (char *)(uintptr_t)channel->program;
    for (size_t i = 0; i < channel->argument_count && count < ARGUMENTS_MAX; i++)
        arguments[count++] =
            (char *)(uintptr_t)(!strcmp(channel->arguments[i], "{to}") ? parcel->recipient
                                                                       : channel->arguments[i]);
    arguments[count] = NULL;
    environment(parcel, lines, variables);
    uv_stdio_container_t streams[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&program->input},
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&program->output}};
    const uv_process_options_t options = {.exit_cb = on_ended,
                                          .file = channel->program,
                                          .args = arguments,
                                          .env = variables,
                                          .cwd = "/",
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = streams};
    return uv_spawn(program->ways->loop, &program->process, &options);
}

bool eg_by_exec(struct eg_ways *ways, const struct eg_conf_channel *channel, const struct eg_parcel *parcel,
                void *ticket, struct eg_outcome *ret)
{
    struct eg_program *program = calloc(1, sizeof *program);
    if (!program) {
        eg_outcome_set(ret, EG_AGAIN, "no memory for a program");
        return false;
    }
    *program = (struct eg_program){.ways = ways, .ticket = ticket, .handles = 4};
    eg_buf_init(&program->body, (size_t)512 * 1024);
    eg_buf_text(&program->body, parcel->body);
    eg_buf_text(&program->body, "\n");
    program->process.data = program->input.data = program->output.data = program->timer.data =
        program->write.data = program;
    uv_pipe_init(ways->loop, &program->input, 0);
    uv_pipe_init(ways->loop, &program->output, 0);
    uv_timer_init(ways->loop, &program->timer);
    int code = spawn(program, channel, parcel);
    if (code != 0) {
        eg_outcome_set(ret, code == UV_ENOENT || code == UV_EACCES ? EG_NEVER : EG_AGAIN,
                       "%.150s cannot be started: %s", channel->program, uv_strerror(code));
        close_all(program);
        return false;
    }
    program->next = ways->programs;
    ways->programs = program;
    uv_timer_start(&program->timer, on_late, (uint64_t)channel->timeout_ms, 0);
    uv_read_start((uv_stream_t *)&program->output, on_alloc, on_said);
    uv_buf_t body = uv_buf_init(program->body.data, (unsigned)program->body.length);
    if (uv_write(&program->write, (uv_stream_t *)&program->input, &body, 1, on_written) != 0)
        uv_close((uv_handle_t *)&program->input, closed_one);
    return true;
}

void eg_by_exec_stop(struct eg_ways *ways)
{
    for (struct eg_program *program = ways->programs, *next; program; program = next) {
        next = program->next;
        program->ways = NULL;
        kill(-program->process.pid, SIGKILL);
        close_all(program);
    }
    ways->programs = NULL;
}
