/* Knows `top`: the village on one screen, asked anew every two seconds until `q`. Refuses to change anything: what is to be done is typed
 * where it can be read again. Uses ncurses, nobody else does. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <ecogov/time.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define EVERY_MS 2000
#define CASES_MOST 200
#define HEAD_ROWS 6

enum paint { PAINT_PLAIN, PAINT_GOOD, PAINT_MILD, PAINT_BAD, PAINT_WORST };

enum { LEVEL, SITE, DEVICE, WHAT, LAST, FOR, HANDLING, DUE, COLUMNS };
static const char *const heads[COLUMNS] = {"LEVEL", "SITE", "DEVICE",   "WHAT",
                                           "LAST",  "FOR",  "HANDLING", "DUE"};
#define NARROWEST 8 /* of what is cut where the terminal is narrow */

struct cells {
    char text[COLUMNS][160];
    int paint[COLUMNS];
};

struct screen {
    struct session *session;
    struct answer status, devices, cases;
    double received, stored; /* as of the answer before, for the rates; NAN: there was none */
    int64_t asked_ms;
    double message_rate, reading_rate;
    int first, selected;           /* of the cases */
    struct cells rows[CASES_MOST]; /* those on the screen */
};

/* --- text on a screen --- */

static int paint_of(const char *state)
{
    switch (page_tone(state)) {
    case GOOD:
        return PAINT_GOOD;
    case MILD:
        return PAINT_MILD;
    case BAD:
        return PAINT_BAD;
    case WORST:
        return PAINT_WORST;
    default:
        return PAINT_PLAIN;
    }
}

static void start_paint(void)
{
    const char *none = getenv("NO_COLOR");
    if (!has_colors() || (none && *none))
        return;
    start_color();
    use_default_colors();
    init_pair(PAINT_GOOD, COLOR_GREEN, -1);
    init_pair(PAINT_MILD, COLOR_YELLOW, -1);
    init_pair(PAINT_BAD, COLOR_RED, -1);
    init_pair(PAINT_WORST, COLOR_MAGENTA, -1);
}

/* What a terminal might obey, and what turns the writing direction, comes out as U+FFFD: names come from outside. */
static wchar_t harmless(wchar_t letter)
{
    bool turns = (letter >= 0x200e && letter <= 0x200f) || (letter >= 0x202a && letter <= 0x202e) ||
                 (letter >= 0x2066 && letter <= 0x2069);
    return turns || letter < 0x20 || (letter >= 0x7f && letter < 0xa0) ? 0xfffd : letter;
}

/* As much of the text as fits into `width` columns; gives how many it took. */
static int put(int row, int column, int width, int paint, attr_t look, const char *text)
{
    mbstate_t state = {0};
    int used = 0;
    attr_set(look, (short)paint, NULL);
    for (size_t length; text && *text && row < LINES; text += length) {
        wchar_t letter = 0xfffd;
        length = mbrtowc(&letter, text, strlen(text), &state);
        if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
            letter = 0xfffd;
            length = 1;
            memset(&state, 0, sizeof state);
        }
        letter = harmless(letter);
        int columns = wcwidth(letter);
        columns = columns < 0 ? 1 : columns;
        if (used + columns > width || column + used + columns > COLS)
            break;
        mvaddnwstr(row, column + used, &letter, 1);
        used += columns;
    }
    attr_set(A_NORMAL, 0, NULL);
    return used;
}

static int putf(int row, int column, int paint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static int putf(int row, int column, int paint, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return put(row, column, COLS, paint, A_NORMAL, text);
}

/* --- what is asked --- */

static int ask_one(struct screen *screen, const char *method, const cJSON *params, struct answer *ret)
{
    answer_finish(ret);
    *ret = (struct answer){0};
    int code = session_send(screen->session, method, params);
    return code == EXIT_DONE ? session_next(screen->session, PATIENCE_MS, ret) : code;
}

static void note_rates(struct screen *screen)
{
    const cJSON *status = screen->status.result;
    const char *now = text_of(status, "now");
    double received = number_of(item_of(status, "messages"), "received"),
           stored = number_of(item_of(status, "readings"), "stored");
    int64_t now_ms = screen->asked_ms;
    if (now)
        eg_time_parse(now, strlen(now), &now_ms);
    double seconds = (double)(now_ms - screen->asked_ms) / 1000;
    screen->message_rate = seconds > 0 ? (received - screen->received) / seconds : NAN;
    screen->reading_rate = seconds > 0 ? (stored - screen->stored) / seconds : NAN;
    screen->received = received;
    screen->stored = stored;
    screen->asked_ms = screen->session->now_ms = now_ms;
}

static int ask(struct screen *screen)
{
    cJSON *active = cJSON_CreateObject();
    cJSON_AddStringToObject(active, "handling", "active");
    cJSON_AddNumberToObject(active, "limit", CASES_MOST);
    int code = ask_one(screen, "status", NULL, &screen->status);
    if (code == EXIT_DONE)
        code = ask_one(screen, "devices.list", NULL, &screen->devices);
    if (code == EXIT_DONE)
        code = ask_one(screen, "cases.list", active, &screen->cases);
    cJSON_Delete(active);
    if (code == EXIT_DONE)
        note_rates(screen);
    return code;
}

/* --- what is shown --- */

static int64_t ms_since(const struct screen *screen, const char *time)
{
    int64_t ms;
    return time && eg_time_parse(time, strlen(time), &ms) && ms < screen->session->now_ms
               ? screen->session->now_ms - ms
               : 0;
}

static void show_daemon(const struct screen *screen)
{
    const cJSON *status = screen->status.result, *link = item_of(status, "broker");
    const char *version = text_of(status, "version"), *now = text_of(status, "now"),
               *host = text_of(link, "host");
    bool connected = cJSON_IsTrue(item_of(link, "connected"));
    char up[PAGE_TEXT], clock[PAGE_TEXT];
    int column = putf(0, 0, PAINT_PLAIN, "ecogovd %s  %s %s  %s %s:%.0f ", version ? version : "", word("up"),
                      page_span(ms_since(screen, text_of(status, "started_at")), up), word("broker"),
                      host ? host : "-", number_of(link, "port"));
    column += put(0, column, COLS, connected ? PAINT_GOOD : PAINT_BAD, A_BOLD,
                  word(connected ? "connected" : "not connected"));
    if (now && column < COLS - 20)
        put(0, COLS - 20, 20, PAINT_PLAIN, A_DIM, page_time_full(now, clock));
}

static void show_flow(const struct screen *screen)
{
    const cJSON *status = screen->status.result, *store = item_of(status, "store");
    char bytes[PAGE_TEXT], rates[64] = "";
    if (isfinite(screen->message_rate))
        snprintf(rates, sizeof rates, word("%.1f messages/s, %.1f readings/s, "), screen->message_rate,
                 screen->reading_rate);
    putf(1, 0, PAINT_PLAIN, word("%s%.0f quarantined, %s stored, last commit %.1f ms"), rates,
         number_of(item_of(status, "messages"), "quarantined"), page_bytes(number_of(store, "bytes"), bytes),
         number_of(item_of(status, "turns"), "last_commit_ms"));
}

static void show_devices_of(const struct screen *screen)
{
    static const char *const states[] = {"reporting", "late", "silent", "suspect", "retired"};
    size_t counts[sizeof states / sizeof *states] = {0};
    const cJSON *row;
    cJSON_ArrayForEach(row, screen->devices.result) for (size_t i = 0; i < sizeof states / sizeof *states;
                                                         i++)
    {
        const char *state = text_of(row, "state");
        counts[i] += state && !strcmp(state, states[i]);
    }
    int column =
        putf(2, 0, PAINT_PLAIN, "%s %d:", word("devices"), cJSON_GetArraySize(screen->devices.result));
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (counts[i] || i == 0)
            column += putf(2, column, paint_of(states[i]), " %zu %s", counts[i], word(states[i]));
}

/* In the reader's language, and in one line: a clock in doubt concerns every time on the screen. */
static void show_clock_fault(const struct screen *screen)
{
    char since[PAGE_TEXT];
    const cJSON *clock = item_of(screen->status.result, "clock");
    if (cJSON_IsFalse(item_of(clock, "trusted")))
        putf(4, 0, PAINT_BAD, word("clock in doubt since %s: NTP, or set it: ecogovctl clock trust"),
             page_time(text_of(clock, "doubted_since"), since));
}

static void show_first_fault(const struct screen *screen)
{
    const cJSON *faults = item_of(screen->status.result, "faults"), *fault;
    const char *text = NULL;
    cJSON_ArrayForEach(fault, faults)
    {
        const char *key = text_of(fault, "key");
        if (!text && key && strcmp(key, "clock") != 0) /* it has a line of its own */
            text = text_of(fault, "text");
    }
    if (text)
        put(3, 0, COLS, PAINT_BAD, A_BOLD, text);
    else
        put(3, 0, COLS, PAINT_GOOD, A_NORMAL, word("no faults"));
}

static void set(struct cells *cells, int column, const char *text)
{
    snprintf(cells->text[column], sizeof cells->text[column], "%s", text && *text ? text : "-");
}

/* "3d 4h", "11h24m", "7m": columns are dear here. */
static const char *brief_span(int64_t ms, char out[PAGE_TEXT])
{
    long long minutes = ms / 60000, hours = minutes / 60;
    if (hours >= 48)
        snprintf(out, PAGE_TEXT, "%lldd%2lldh", hours / 24, hours % 24);
    else if (hours > 0)
        snprintf(out, PAGE_TEXT, "%lldh%02lldm", hours, minutes % 60);
    else
        snprintf(out, PAGE_TEXT, "%lldm", minutes);
    return out;
}

static void fill_cells(const struct screen *screen, const cJSON *row, struct cells *ret)
{
    char value[PAGE_TEXT], unit[PAGE_TEXT], text[PAGE_TEXT];
    const char *level = text_of(row, "level"), *title = text_of(row, words_chinese() ? "title_zh" : "title"),
               *handling = text_of(row, "handling"), *due_at = text_of(row, "due_at");
    double now = number_of(item_of(row, "last"), "value");
    memset(ret, 0, sizeof *ret);
    set(ret, LEVEL, level ? word(level) : NULL);
    set(ret, SITE, text_of(row, "site"));
    set(ret, DEVICE, text_of(row, "device"));
    set(ret, WHAT, title ? title : text_of(row, "title"));
    snprintf(ret->text[LAST], sizeof ret->text[LAST], "%s %s",
             page_value(text_of(row, "quantity"), now, value),
             isfinite(now) ? page_unit(text_of(row, "unit"), unit) : "");
    set(ret, FOR, brief_span(ms_since(screen, text_of(row, "opened_at")), text));
    set(ret, HANDLING, handling ? word(handling) : NULL);
    set(ret, DUE, due_at ? page_time(due_at, text) : NULL);
    ret->paint[LEVEL] = paint_of(level);
    ret->paint[DUE] = cJSON_IsTrue(item_of(row, "overdue")) ? PAINT_BAD : PAINT_PLAIN;
}

/* As wide as what is in them. Where that is too wide: what can be guessed from its beginning is cut, the title first. */
static void measure(const struct cells *rows, int count, int widths[COLUMNS])
{
    static const int cut[] = {WHAT, DEVICE, SITE};
    int all = 0;
    for (int column = 0; column < COLUMNS; all += widths[column++] + 1) {
        widths[column] = (int)page_width(word(heads[column]));
        for (int i = 0; i < count; i++) {
            int width = (int)page_width(rows[i].text[column]);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    for (size_t i = 0; i < sizeof cut / sizeof *cut && all > COLS; i++) {
        int spare = widths[cut[i]] - NARROWEST, less = spare < all - COLS ? spare : all - COLS;
        widths[cut[i]] -= less > 0 ? less : 0;
        all -= less > 0 ? less : 0;
    }
}

static void show_cells(const struct cells *cells, const int widths[COLUMNS], int at, attr_t look)
{
    for (int i = 0, column = 0; i < COLUMNS; column += widths[i++] + 1) {
        if (look == A_REVERSE)
            for (int blank = 0; blank <= widths[i]; blank++)
                put(at, column + blank, 1, PAINT_PLAIN, look, " ");
        put(at, column, widths[i], cells->paint[i], look, cells->text[i]);
    }
}

static void show_table(struct screen *screen, int room)
{
    struct cells *rows = screen->rows;
    const cJSON *cases = item_of(screen->cases.result, "cases");
    struct cells head = {0};
    int widths[COLUMNS], count = 0;
    for (; count < room && count < CASES_MOST && cJSON_GetArrayItem(cases, screen->first + count); count++)
        fill_cells(screen, cJSON_GetArrayItem(cases, screen->first + count), &rows[count]);
    measure(rows, count, widths);
    for (int i = 0; i < COLUMNS; i++)
        set(&head, i, word(heads[i]));
    show_cells(&head, widths, HEAD_ROWS - 1, A_BOLD);
    for (int i = 0; i < count; i++)
        show_cells(&rows[i], widths, HEAD_ROWS + i,
                   screen->first + i == screen->selected ? A_REVERSE : A_NORMAL);
}

static void show_case_id(const struct screen *screen)
{
    const cJSON *row = cJSON_GetArrayItem(item_of(screen->cases.result, "cases"), screen->selected);
    const char *id = row ? text_of(row, "id") : NULL;
    if (id)
        putf(LINES - 1, 0, PAINT_PLAIN, "ecogovctl case show %s", id);
    if (COLS > 30)
        put(LINES - 1, COLS - 24, 24, PAINT_PLAIN, A_DIM, word("↑ ↓ choose, q leaves"));
}

static void draw(struct screen *screen)
{
    const cJSON *cases = item_of(screen->cases.result, "cases");
    int count = cJSON_GetArraySize(cases), room = LINES - HEAD_ROWS - 1;
    room = room < 1 ? 1 : room;
    screen->selected = screen->selected >= count ? count - 1 : screen->selected;
    screen->selected = screen->selected < 0 ? 0 : screen->selected;
    if (screen->selected < screen->first)
        screen->first = screen->selected;
    if (screen->selected >= screen->first + room)
        screen->first = screen->selected - room + 1;
    erase();
    show_daemon(screen);
    show_flow(screen);
    show_devices_of(screen);
    show_first_fault(screen);
    show_clock_fault(screen);
    show_table(screen, room);
    if (!count)
        put(HEAD_ROWS, 0, COLS, PAINT_GOOD, A_NORMAL, word("no open case"));
    show_case_id(screen);
    refresh();
}

/* --- the loop --- */

static bool obey(struct screen *screen, int key)
{
    if (key == KEY_UP || key == 'k')
        screen->selected--;
    else if (key == KEY_DOWN || key == 'j')
        screen->selected++;
    return key != 'q' && key != 'Q' && key != 27;
}

static int watch_on(struct screen *screen)
{
    int code = ask(screen);
    for (bool on = true; on && code == EXIT_DONE;) {
        draw(screen);
        int key = getch();
        on = obey(screen, key);
        if (on && key == ERR)
            code = ask(screen);
    }
    return code;
}

int run_top(struct session *session, cJSON *params)
{
    (void)params;
    if (session->json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        fputs("ecogovctl: top needs a terminal; for programs there is: ecogovctl --json status\n", stderr);
        return EXIT_USAGE;
    }
    if (MB_CUR_MAX == 1) /* a locale that is not installed; every terminal of today shows UTF-8 */
        setlocale(LC_CTYPE, "C.UTF-8");
    struct screen screen = {.session = session, .received = NAN, .stored = NAN, .asked_ms = session->now_ms};
    const char *kind = getenv("TERM");
    SCREEN *terminal = newterm(kind && *kind ? kind : "vt100", stdout, stdin);
    if (!terminal) {
        fputs("ecogovctl: this terminal is not known to ncurses; set TERM.\n", stderr);
        return EXIT_USAGE;
    }
    start_paint();
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    set_escdelay(50);
    timeout(EVERY_MS);
    int code = watch_on(&screen);
    endwin();
    delscreen(terminal);
    answer_finish(&screen.status);
    answer_finish(&screen.devices);
    answer_finish(&screen.cases);
    return code;
}
