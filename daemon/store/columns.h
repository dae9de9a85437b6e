/* Whole numbers, words and doubles as columns of a blob of buckets (buckets.h tells the form). Private to buckets.c. */
#ifndef EG_COLUMNS_H
#define EG_COLUMNS_H
#include <store/bits.h>
#include <store/buckets.h>

#define EG_COLUMNS 5       /* of doubles: first, last, min, max, sum */
#define EG_COLUMNS_FIRST 1 /* the first version of the form */

/* The columns under way; room for a block of differences. */
struct eg_columns {
    size_t count;
    int version;
    uint64_t numbers[EG_BUCKETS_MAX], room[EG_BUCKETS_MAX], apart[EG_BUCKETS_MAX];
    uint64_t scaled[EG_BUCKETS_MAX],
        shown[EG_COLUMNS][EG_BUCKETS_MAX]; /* of one column; of those before it, at its decimals */
    double values[EG_COLUMNS][EG_BUCKETS_MAX];
    uint64_t counts[EG_BUCKETS_MAX];
};

/* `numbers` */
void eg_columns_put_numbers(struct eg_bits_out *bits, struct eg_columns *work);
void eg_columns_get_numbers(struct eg_cut *cut, struct eg_columns *work);
/* Mostly alike. */
void eg_columns_put_words(struct eg_bits_out *bits, const uint64_t *words, size_t count);
void eg_columns_get_words(struct eg_cut *cut, uint64_t *ret, size_t count);
/* `values` of that column; those before it are there. */
void eg_columns_put_doubles(struct eg_bits_out *bits, struct eg_columns *work, int column);
void eg_columns_get_doubles(struct eg_cut *cut, struct eg_columns *work, int column);
#endif
