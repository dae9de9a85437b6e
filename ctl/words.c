/* Knows the two languages (words.def). Called by whatever writes for people. */
#include "words.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *english, *chinese;
} words[] = {
#define WORD(english, chinese) {english, chinese},
#include "words.def"
#undef WORD
};

static bool chinese; /* set once, by words_init() */

void words_init(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            chinese = strncmp(value, "zh", 2) == 0;
            return;
        }
    }
}

bool words_chinese(void)
{
    return chinese;
}

const char *word(const char *english)
{
    for (size_t i = 0; chinese && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].english, english) == 0)
            return words[i].chinese;
    return english;
}
