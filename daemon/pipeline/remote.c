/* A case is acknowledged from afar, by a message on ecogov/commands/{party}: "acknowledge CASE TOKEN" with the token that the party was
 * sent, or "acknowledge CASE TIME NONCE SIGNATURE note" signed with its secret. Nothing else comes in this way. Knows signatures and how
 * old one may be; what an acknowledgement does, case.c knows. Called by message.c and tell.c. */
#include <pipeline/state.h>
#include <base/hmac.h>
#include <base/utf8.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <string.h>

#define PREFIX "ecogov/commands/"
#define TEXT_MAX 1000
#define WINDOW_MS INT64_C(600000)
#define NONCE_MIN 8
#define NONCE_MAX 64

/* Bound to the case and to how often it was reopened: used up by the acknowledgement. */
char *eg_remote_token(const struct eg_conf_party *party, const struct eg_case *row, char out[EG_TOKEN_TEXT])
{
    static const char digits[] = "abcdefghjkmnpqrstuvwxyz023456789";
    char text[256];
    uint8_t sum[EG_SHA256_BYTES];
    int length = snprintf(text, sizeof text, "token\n%s\n%u", row->id, row->reopened);
    eg_hmac_sha256(party->secret, strlen(party->secret), text, (size_t)length, sum);
    for (size_t i = 0; i < EG_TOKEN_TEXT - 1; i++)
        out[i] = digits[sum[i] & 31];
    out[EG_TOKEN_TEXT - 1] = '\0';
    return out;
}

static const struct eg_conf_party *party_of(const struct eg_pipeline *pipeline,
                                            const struct eg_message *message)
{
    size_t prefix = sizeof PREFIX - 1;
    if (message->topic_len <= prefix || memcmp(message->topic, PREFIX, prefix) != 0)
        return NULL;
    const struct eg_conf_party *party = eg_conf_party_find(pipeline->conf, message->topic + prefix);
    return party && party->secret ? party : NULL;
}

/* Cuts the next word off; "" at the end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    size_t length = strcspn(word, " \r\n");
    *at = word + length + (word[length] != '\0');
    word[length] = '\0';
    return word;
}

struct words {
    const char *verb, *case_id, *third /* token or time */, *nonce, *signature;
    char *note;
};

static const char *check_signature(struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                                   const struct words *words, const struct eg_case *row, int64_t now_ms,
                                   struct eg_batch *batch)
{
    char text[TEXT_MAX + 200], hex[2 * EG_SHA256_BYTES + 1], mark[NONCE_MAX + 8];
    uint8_t sum[EG_SHA256_BYTES];
    int64_t at_ms;
    int length = snprintf(text, sizeof text, "%s %s %s %s %s%s%s", party->id, words->verb, words->case_id,
                          words->third, words->nonce, *words->note ? " " : "", words->note);
    eg_hmac_sha256(party->secret, strlen(party->secret), text, (size_t)length, sum);
    eg_hex(sum, sizeof sum, hex);
    if (strlen(words->signature) != strlen(hex) || !eg_same_secret(words->signature, hex, strlen(hex)))
        return "the signature is not right";
    if (!eg_time_parse(words->third, strlen(words->third), &at_ms))
        return "its time is no time";
    if (at_ms < now_ms - WINDOW_MS || at_ms > now_ms + WINDOW_MS)
        return "it was signed more than ten minutes ago, or by a wrong clock";
    if (strlen(words->nonce) < NONCE_MIN || strlen(words->nonce) > NONCE_MAX)
        return "its nonce must have 8 to 64 characters";
    snprintf(mark, sizeof mark, "nonce:%s", words->nonce);
    if (eg_tell_was_told(pipeline, row->number, party->id, "", mark))
        return "it was used before";
    const struct eg_row_told used = {row->number, party->id, "", mark, now_ms, 0};
    if (!eg_told_note(pipeline, &used, batch))
        batch->failed = true;
    return NULL;
}

/* Why not, or NULL. */
static const char *objection(struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                             const struct words *words, const struct eg_case *row, int64_t now_ms,
                             struct eg_batch *batch)
{
    char token[EG_TOKEN_TEXT];
    if (strcmp(words->verb, "acknowledge") != 0)
        return "only acknowledge comes in this way";
    if (!row)
        return "there is no such open case";
    if (*words->signature) {
        const char *wrong = check_signature(pipeline, party, words, row, now_ms, batch);
        if (wrong)
            return wrong;
    } else {
        eg_remote_token(party, row, token);
        if (strlen(words->third) != sizeof token - 1 ||
            !eg_same_secret(words->third, token, sizeof token - 1))
            return "the token is not right, or was used";
    }
    return row->handling == EG_OPEN ? NULL : "the case has been acknowledged already";
}

bool eg_remote_take(struct eg_pipeline *pipeline, const struct eg_message *message, const char **ret_wrong,
                    struct eg_batch *batch)
{
    char text[TEXT_MAX + 1], *at = text, user[80];
    const struct eg_conf_party *party = party_of(pipeline, message);
    if (!party)
        return false;
    *ret_wrong = "it is no text of 1 to 1000 bytes";
    if (!message->payload_len || message->payload_len > TEXT_MAX ||
        memchr(message->payload, '\0', message->payload_len) ||
        !eg_utf8_valid((const char *)message->payload, message->payload_len))
        return true;
    if (message->retain) {
        *ret_wrong = "a retained message commands nothing";
        return true;
    }
    memcpy(text, message->payload, message->payload_len);
    text[message->payload_len] = '\0';
    struct words words;
    words.verb = next_word(&at);
    words.case_id = next_word(&at);
    words.third = next_word(&at);
    words.nonce = next_word(&at);
    words.signature = next_word(&at);
    words.note = at;
    words.note[strcspn(words.note, "\r\n")] = '\0';
    eg_pipeline_settle(pipeline, batch); /* people act on what is known */
    const struct eg_case *row = eg_case_find_named(pipeline, words.case_id);
    *ret_wrong = objection(pipeline, party, &words, row, message->arrived_ms, batch);
    if (*ret_wrong)
        return true;
    snprintf(user, sizeof user, "party:%s", party->id);
    const struct eg_command command = {.verb = "acknowledge",
                                       .case_id = words.case_id,
                                       .user = user,
                                       .note = *words.note ? words.note : NULL,
                                       .until_ms = EG_TIME_NONE,
                                       .version = -1};
    eg_command_take(pipeline, &command, message->arrived_ms, batch);
    return true;
}
