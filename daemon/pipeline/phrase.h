/* The sentences ecogovd writes and answers, as people read them. */
#ifndef EG_PHRASE_H
#define EG_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

#define EG_PHRASE_PARTS 4
/* `sentence` as it is, or in Chinese if it is one of ours; times in it (RFC 3339) in local time. `word`: a word of ours in the reader's
 * language ("open", "closed"); NULL: as it is. What does not fit is cut. */
void eg_phrase_say(const char *sentence, bool chinese, const char *(*word)(const char *english), char *out,
                   size_t size);

#endif
