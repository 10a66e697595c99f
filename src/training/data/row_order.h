#pragma once

#include <cstdint>
#include <vector>

#include "training/data/tokenised_rows.h"

namespace jina {

/// The rows of a data set as an endless stream: every epoch is a permutation of its own, chosen by (key, epoch), and
/// entry t of the stream costs the same for any t.
int64_t stream_row(uint64_t key, int64_t rows, int64_t position);

/// Rows of which some text is also in another row: only these can meet an equal text in a batch. Bit r of entry r / 64.
std::vector<uint64_t> find_shared_rows(const TokenisedRows& rows);

/// Which rows batch `turn` of the stream takes, `batch` of them.
/// Entries [turn * batch, (turn + 1) * batch) of the stream, but for rows that would meet an equal text there (query or
/// positive equal to a query, positive or negative of another row: a false negative): these change places with rows of
/// the other batches of the same window of 16 batches, as far as that helps. So the batches of a window hold exactly
/// the window's part of the stream, which has every row once per epoch. A function of its arguments alone.
std::vector<int64_t> batch_rows(const TokenisedRows& rows, const std::vector<uint64_t>& shared, uint64_t key,
                                int64_t batch, int64_t turn);

}  // namespace jina
