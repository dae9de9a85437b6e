/* The account of subscriptions (account.h): a file of lines, replaced by renaming. Knows no MQTT. Called by mqtt.c. */
#include <mqtt/account.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int eg_account_open(struct eg_account *account, const char *path, struct eg_err *err)
{
    char line[EG_SUBSCRIPTION_MAX + 1];
    memset(account, 0, sizeof *account);
    account->path = strdup(path);
    if (!account->path)
        return eg_err_set(err, EG_ENOMEM, "no memory for the account of subscriptions");
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? EG_OK
                               : eg_err_set(err, EG_EIO, "%s cannot be read: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        size_t length = strcspn(line, "\n");
        bool whole = line[length] == '\n';
        line[length] = '\0';
        if (whole && length && !eg_account_add(account, line))
            break;
    }
    fclose(file);
    account->changed = false;
    return EG_OK;
}

void eg_account_finish(struct eg_account *account)
{
    free(account->path);
    free(account->topics);
    memset(account, 0, sizeof *account);
}

bool eg_account_add(struct eg_account *account, const char *topic)
{
    for (size_t i = 0; i < account->count; i++)
        if (strcmp(account->topics[i], topic) == 0)
            return true;
    if (account->count == EG_ACCOUNT_MAX || strlen(topic) >= EG_SUBSCRIPTION_MAX)
        return false;
    void *grown = realloc(account->topics, (account->count + 1) * sizeof *account->topics);
    if (!grown)
        return false;
    account->topics = grown;
    snprintf(account->topics[account->count++], EG_SUBSCRIPTION_MAX, "%s", topic);
    account->changed = true;
    return true;
}

void eg_account_keep(struct eg_account *account, bool (*wanted)(const void *arg, const char *topic),
                     const void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < account->count; i++) {
        if (!wanted(arg, account->topics[i]))
            continue;
        if (kept != i)
            memcpy(account->topics[kept], account->topics[i], sizeof *account->topics);
        kept++;
    }
    account->changed = account->changed || kept != account->count;
    account->count = kept;
}

int eg_account_write(struct eg_account *account, struct eg_err *err)
{
    char fresh[4096];
    if (!account->path || !account->changed)
        return EG_OK;
    snprintf(fresh, sizeof fresh, "%s.new", account->path);
    FILE *file = fopen(fresh, "we");
    bool ok = file != NULL;
    for (size_t i = 0; ok && i < account->count; i++)
        ok = strchr(account->topics[i], '\n') || fprintf(file, "%s\n", account->topics[i]) > 0;
    ok = ok && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file)
        ok = fclose(file) == 0 && ok;
    if (!ok || rename(fresh, account->path) != 0) {
        int code = eg_err_set(err, EG_EIO, "%s cannot be written: %s", account->path, strerror(errno));
        unlink(fresh);
        return code;
    }
    account->changed = false;
    return EG_OK;
}
