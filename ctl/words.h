/* English and Chinese. The English text is the key; what has no line in words.def stays English. */
#ifndef EG_CTL_WORDS_H
#define EG_CTL_WORDS_H
#include <stdbool.h>
/* Chinese when LC_ALL, else LC_MESSAGES, else LANG begins with "zh". */
void words_init(void);
bool words_chinese(void);
const char *word(const char *english) __attribute__((format_arg(1)));
#endif
