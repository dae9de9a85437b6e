/* SQLite's file format (sqlite.org/fileformat2.html), read page by page without trusting what one page says of another. Knows pages,
 * cells, records, the log's frames; refuses to know our tables. Called by salvage.c. */
#include <store/pages.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define FRAME (PAGE + 24)
#define PAYLOAD_MOST ((size_t)64 * 1024 * 1024)

struct pages {
    int file, log;
    uint32_t count;
    off_t *frames; /* [count + 1]: where the log has this page's newest content, or 0 */
    uint8_t *skip; /* [count + 1]: not in use */
    uint8_t page[PAGE], overflow[PAGE];
    uint8_t *payload;
    size_t payload_capacity;
    void (*each)(void *arg, const struct eg_cell *cell);
    void *arg;
    uint32_t broken;
};

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_page(const struct pages *pages, uint32_t number, uint8_t out[PAGE])
{
    if (!number || number > pages->count)
        return false;
    off_t frame = pages->frames[number];
    return frame ? pread(pages->log, out, PAGE, frame) == PAGE
                 : pread(pages->file, out, PAGE, (off_t)(number - 1) * PAGE) == PAGE;
}

/* --- the log: frames count up to the last commit whose salt is the header's --- */

static void note_frames(struct pages *pages, uint32_t *pending, size_t pending_count, off_t first)
{
    for (size_t i = 0; i < pending_count; i++)
        if (pending[i] && pending[i] <= pages->count)
            pages->frames[pending[i]] = first + (off_t)i * FRAME + 24;
}

static bool grow(struct pages *pages, uint32_t count)
{
    off_t *frames = calloc((size_t)count + 1, sizeof *frames);
    if (!frames)
        return false;
    if (pages->frames)
        memcpy(frames, pages->frames, ((size_t)pages->count + 1) * sizeof *frames);
    free(pages->frames);
    pages->frames = frames;
    pages->count = count;
    return true;
}

static bool read_log(struct pages *pages)
{
    uint8_t head[32], frame[24];
    struct stat info;
    off_t at = 32, first = 32;
    if (pages->log < 0 || fstat(pages->log, &info) != 0 || pread(pages->log, head, 32, 0) != 32 ||
        (get32(head) & 0xfffffffeu) != 0x377f0682u || get32(head + 8) != PAGE)
        return true;
    size_t most = (size_t)(info.st_size / FRAME) + 1, count = 0;
    uint32_t *pending = calloc(most, sizeof *pending);
    if (!pending)
        return false;
    for (; at + FRAME <= info.st_size && pread(pages->log, frame, 24, at) == 24; at += FRAME) {
        if (memcmp(frame + 8, head + 16, 8) != 0)
            break;
        pending[count++] = get32(frame);
        uint32_t size = get32(frame + 4); /* not 0: a commit, and as many pages the file has then */
        if (!size)
            continue;
        if (size > pages->count && size <= pages->count + most && !grow(pages, size))
            break;
        note_frames(pages, pending, count, first);
        first = at + FRAME;
        count = 0;
    }
    free(pending);
    return true;
}

/* --- records --- */

static size_t varint(const uint8_t *at, const uint8_t *end, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 9 && at + i < end; i++) {
        if (i == 8) {
            *ret = value << 8 | at[i];
            return 9;
        }
        value = value << 7 | (at[i] & 0x7f);
        if (!(at[i] & 0x80)) {
            *ret = value;
            return i + 1;
        }
    }
    return 0;
}

static bool take_value(uint64_t serial, const uint8_t **at, const uint8_t *end, struct eg_cell_value *ret)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    *ret = (struct eg_cell_value){.type = EG_CELL_NULL};
    if (serial == 10 || serial == 11)
        return false;
    size_t size = serial < 10 ? sizes[serial] : (size_t)(serial - 12) / 2;
    if (size > (size_t)(end - *at))
        return false;
    if (serial >= 12) {
        ret->type = serial % 2 ? EG_CELL_TEXT : EG_CELL_BLOB;
        ret->bytes = *at;
        ret->length = size;
    } else if (serial) {
        uint64_t bits = size && **at & 0x80 ? UINT64_MAX : 0;
        for (size_t i = 0; i < size; i++)
            bits = bits << 8 | (*at)[i];
        ret->type = serial == 7 ? EG_CELL_REAL : EG_CELL_INT;
        ret->number = serial >= 8 ? (int64_t)serial - 8 : (int64_t)bits;
        if (serial == 7)
            memcpy(&ret->real, &bits, sizeof bits);
    }
    *at += size;
    return true;
}

static bool take_record(const uint8_t *at, size_t length, struct eg_cell *cell)
{
    const uint8_t *end = at + length, *body;
    uint64_t head, serial;
    size_t step = varint(at, end, &head);
    if (!step || head > length || head < step)
        return false;
    body = at + head;
    const uint8_t *types = at + step, *types_end = body;
    for (cell->count = 0; types < types_end; cell->count++) {
        step = varint(types, types_end, &serial);
        if (!step || cell->count == EG_PAGES_COLUMNS ||
            !take_value(serial, &body, end, &cell->values[cell->count]))
            return false;
        types += step;
    }
    return body == end; /* one that does not fill its place is none */
}

/* --- cells --- */

/* The whole payload: what lies in the page, then the overflow pages. NULL: not whole. */
static const uint8_t *whole_payload(struct pages *pages, const uint8_t *at, size_t length, bool table)
{
    const uint8_t *end = pages->page + PAGE;
    size_t most = table ? PAGE - 35 : (PAGE - 12) * 64 / 255 - 23, least = (PAGE - 12) * 32 / 255 - 23;
    if (length <= most)
        return length <= (size_t)(end - at) ? at : NULL;
    size_t here = least + (length - least) % (PAGE - 4);
    if (here > most)
        here = least;
    if (here + 4 > (size_t)(end - at) || length > PAYLOAD_MOST || length / PAGE > pages->count)
        return NULL;
    if (length > pages->payload_capacity) {
        uint8_t *grown = realloc(pages->payload, length);
        if (!grown)
            return NULL;
        pages->payload = grown;
        pages->payload_capacity = length;
    }
    memcpy(pages->payload, at, here);
    uint32_t next = get32(at + here);
    while (here < length) {
        size_t part = length - here < PAGE - 4 ? length - here : PAGE - 4;
        if (!read_page(pages, next, pages->overflow))
            return NULL;
        memcpy(pages->payload + here, pages->overflow + 4, part);
        next = get32(pages->overflow);
        here += part;
    }
    return pages->payload;
}

static bool take_cell(struct pages *pages, size_t offset, uint8_t kind)
{
    struct eg_cell cell = {.table = kind == 0x0d};
    const uint8_t *at = pages->page + offset, *end = pages->page + PAGE;
    uint64_t length, rowid = 0;
    if (kind == 0x02)
        at += 4; /* the child to its left: found by itself */
    size_t step = at < end ? varint(at, end, &length) : 0;
    if (!step)
        return false;
    at += step;
    if (cell.table) {
        step = varint(at, end, &rowid);
        if (!step)
            return false;
        at += step;
    }
    const uint8_t *payload = whole_payload(pages, at, (size_t)length, cell.table);
    cell.rowid = (int64_t)rowid;
    if (!payload || !take_record(payload, (size_t)length, &cell))
        return false;
    pages->each(pages->arg, &cell);
    return true;
}

/* Cells one by one: a bad one does not take its neighbours along. */
static void take_page(struct pages *pages, uint32_t number)
{
    size_t head = number == 1 ? 100 : 0;
    uint8_t kind = pages->page[head];
    if (kind != 0x0d && kind != 0x0a && kind != 0x02)
        return; /* an interior page of a table, an overflow page, or broken: it holds no rows of its own */
    size_t count = (size_t)pages->page[head + 3] << 8 | pages->page[head + 4];
    size_t pointers = head + (kind == 0x02 ? 12 : 8);
    bool good = pointers + 2 * count <= PAGE;
    for (size_t i = 0; i < count && pointers + 2 * i + 2 <= PAGE; i++) {
        size_t offset = (size_t)pages->page[pointers + 2 * i] << 8 | pages->page[pointers + 2 * i + 1];
        good &= offset >= pointers && offset < PAGE - 2 && take_cell(pages, offset, kind);
    }
    pages->broken += !good;
}

/* What was deleted stays in pages on the free list: it is not to rise again. */
static void mark_free(struct pages *pages)
{
    if (!read_page(pages, 1, pages->page) || memcmp(pages->page, "SQLite format 3", 16) != 0)
        return;
    uint32_t trunk = get32(pages->page + 32);
    for (uint32_t i = 0; i < pages->count && trunk && read_page(pages, trunk, pages->page); i++) {
        uint32_t leaves = get32(pages->page + 4);
        if (pages->skip[trunk] || leaves > (PAGE - 8) / 4)
            return;
        pages->skip[trunk] = 1;
        for (uint32_t leaf = 0; leaf < leaves; leaf++) {
            uint32_t number = get32(pages->page + 8 + 4 * (size_t)leaf);
            if (number && number <= pages->count)
                pages->skip[number] = 1;
        }
        trunk = get32(pages->page);
    }
}

static int sweep(struct pages *pages, struct eg_err *err)
{
    if (!grow(pages, pages->count) || !read_log(pages))
        return eg_err_set(err, EG_ENOMEM, "no memory to read the damaged database");
    pages->skip = calloc((size_t)pages->count + 1, 1);
    if (!pages->skip)
        return eg_err_set(err, EG_ENOMEM, "no memory to read the damaged database");
    mark_free(pages);
    for (uint32_t number = 1; number <= pages->count; number++) {
        if (pages->skip[number])
            continue;
        if (read_page(pages, number, pages->page))
            take_page(pages, number);
        else
            pages->broken++;
    }
    return EG_OK;
}

int eg_pages_each(const char *path, void (*each)(void *arg, const struct eg_cell *cell), void *arg,
                  struct eg_pages_found *ret, struct eg_err *err)
{
    char log[4096];
    struct stat info;
    struct pages *pages = calloc(1, sizeof *pages);
    if (!pages)
        return eg_err_set(err, EG_ENOMEM, "no memory to read the damaged database");
    snprintf(log, sizeof log, "%s-wal", path);
    pages->each = each;
    pages->arg = arg;
    pages->log = open(log, O_RDONLY | O_CLOEXEC);
    pages->file = open(path, O_RDONLY | O_CLOEXEC);
    int code = pages->file >= 0 && fstat(pages->file, &info) == 0
                   ? EG_OK
                   : eg_err_set(err, EG_EIO, "%s cannot be read: %s", path, strerror(errno));
    if (code == EG_OK) {
        pages->count = (uint32_t)((info.st_size + PAGE - 1) / PAGE);
        code = sweep(pages, err);
        *ret = (struct eg_pages_found){pages->count, pages->broken};
    }
    if (pages->file >= 0)
        close(pages->file);
    if (pages->log >= 0)
        close(pages->log);
    free(pages->frames);
    free(pages->skip);
    free(pages->payload);
    free(pages);
    return code;
}
