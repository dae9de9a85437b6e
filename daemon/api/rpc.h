/* The envelope: a line in, the text of its answer out (JSON-RPC 2.0). */
#ifndef EG_API_RPC_H
#define EG_API_RPC_H

#include <api/client.h>

/* Answers one line (without its newline) into client->reply.text, newline included; nothing for
 * notifications. Not while a reply is open. True: the reply is complete. False: it waits for commits, or
 * client->stream is to be pumped. */
bool eg_rpc_line(struct eg_desk *desk, struct eg_client *client, const char *line, size_t length);
/* The answer to a command; true when the ticket was this client's. */
bool eg_rpc_answer(struct eg_desk *desk, struct eg_client *client, const struct eg_answer *answer);
/* The same where the text is already there: with a code of 0 a result as JSON, else a sentence. */
bool eg_rpc_told(struct eg_client *client, uint64_t ticket, int code, const char *text);
bool eg_rpc_complete(const struct eg_client *client);
/* The next bite of an export, as whole lines appended to `out`; closes the reply when it was the last. */
void eg_rpc_stream(struct eg_desk *desk, struct eg_client *client, struct eg_buf *out);
/* A refusal that belongs to no call, as a whole line with id null. */
void eg_rpc_refuse(struct eg_buf *out, int code, const char *sentence);

#endif
