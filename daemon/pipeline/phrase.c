/* Sentences of ours for who reads them: in their language, times in local time. Knows the sentences by their pattern (phrase.def), since
 * the history keeps them as they were written; refuses to know where they stand. Called by words.c and by ecogovctl. */
#include <pipeline/phrase.h>
#include <base/zone.h>

#include <ecogov/time.h>

#include <stdio.h>
#include <string.h>

#define STAMP_LEAST 20 /* "2026-11-23T06:00:00Z" */
#define STAMP_MOST 40
#define PART_BYTES 1024

static const struct {
    const char *english, *chinese;
} phrases[] = {
#define PHRASE(english, chinese) {english, chinese},
#include "phrase.def"
#undef PHRASE
};

struct part {
    const char *text;
    size_t length;
};

/* --- which one is it? --- */

static bool is_place(const char *pattern)
{
    return pattern[0] == '%' && pattern[1] >= '1' && pattern[1] <= '0' + EG_PHRASE_PARTS;
}

/* "%w2": what stands in the second place is a word of ours. */
static bool is_word(const char *pattern)
{
    return pattern[0] == '%' && pattern[1] == 'w' && pattern[2] >= '1' && pattern[2] <= '0' + EG_PHRASE_PARTS;
}

/* How long the words before the next place are. */
static size_t words_of(const char *pattern)
{
    size_t length = 0;
    while (pattern[length] && !is_place(pattern + length) && !is_word(pattern + length))
        length++;
    return length;
}

static bool fits(const char *pattern, const char *sentence, struct part parts[EG_PHRASE_PARTS])
{
    while (*pattern) {
        if (!is_place(pattern)) {
            size_t length = words_of(pattern);
            if (strncmp(pattern, sentence, length) != 0)
                return false;
            pattern += length;
            sentence += length;
            continue;
        }
        struct part *part = &parts[pattern[1] - '1'];
        pattern += 2;
        size_t length = words_of(pattern);
        part->text = sentence;
        while (*sentence && (length ? strncmp(pattern, sentence, length) != 0 : *sentence != '\0'))
            sentence++;
        part->length = (size_t)(sentence - part->text);
        if (!part->length || (length && !*sentence))
            return false;
    }
    return !*sentence;
}

/* --- saying it --- */

struct out {
    char *text;
    size_t size, used;
};

static void put(struct out *out, const char *text, size_t length)
{
    size_t room = out->size - 1 - out->used;
    if (length > room)
        for (length = room; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--; /* no character is cut in two */
    memcpy(out->text + out->used, text, length);
    out->used += length;
    out->text[out->used] = '\0';
}

/* So long is the time that begins here; 0: none does. */
static size_t stamp_at(const char *text, size_t length, int64_t *ret_ms)
{
    size_t n = 0;
    if (length < STAMP_LEAST || text[0] != '2' || text[4] != '-' || text[10] != 'T')
        return 0;
    while (n < length && n < STAMP_MOST && text[n] != 'Z')
        n++;
    return n < length && text[n] == 'Z' && eg_time_parse(text, n + 1, ret_ms) ? n + 1 : 0;
}

static void put_timed(struct out *out, const char *text, size_t length)
{
    char local[32];
    int64_t ms;
    for (size_t i = 0; i < length;) {
        size_t stamp = stamp_at(text + i, length - i, &ms);
        if (stamp) {
            eg_zone_format(ms, local);
            put(out, local, strlen(local));
            i += stamp;
            continue;
        }
        size_t plain = 1;
        while (i + plain < length && text[i + plain] != '2')
            plain++;
        put(out, text + i, plain);
        i += plain;
    }
}

static void put_part(struct out *out, const struct part *part, const char *(*word)(const char *english))
{
    char text[PART_BYTES];
    if (word && part->length < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)part->length, part->text);
        const char *said = word(text);
        if (said != text) {
            put(out, said, strlen(said));
            return;
        }
    }
    put_timed(out, part->text, part->length);
}

void eg_phrase_say(const char *sentence, bool chinese, const char *(*word)(const char *english), char *out,
                   size_t size)
{
    struct out to = {.text = out, .size = size};
    *out = '\0';
    for (size_t i = 0; chinese && i < sizeof phrases / sizeof *phrases; i++) {
        struct part parts[EG_PHRASE_PARTS] = {{0}};
        if (!fits(phrases[i].english, sentence, parts))
            continue;
        for (const char *at = phrases[i].chinese; *at;) {
            if (is_place(at)) {
                put_part(&to, &parts[at[1] - '1'], NULL);
                at += 2;
            } else if (is_word(at)) {
                put_part(&to, &parts[at[2] - '1'], word);
                at += 3;
            } else {
                size_t length = words_of(at);
                put(&to, at, length);
                at += length;
            }
        }
        return;
    }
    put_timed(&to, sentence, strlen(sentence));
}
