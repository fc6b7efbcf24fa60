// Sums of what changes: the outputs of a layer in each of their states, zeros left out.
//
// The changes of ROWS states that follow one another are multiplied together, with the weights of
// those inputs alone that change in any of them. Weights and results lie in panels of PANEL
// outputs, so that the sums of BLOCK states stay in registers, and a panel's weights in the cache. A
// product is added to all sums that it is a part of before the next ones are computed.
//
// Every value is computed by one thread, and in the same order however many there are. AMX sums pairs
// and tiles of inputs: there the order also depends on which inputs change in the other states.
//
// With BFLOAT16 defined, for a processor that multiplies bfloat16, changes and weights are that;
// with AMX as well, for one that multiplies matrices of it.

#include <algorithm>
#include <cstdint>
#include <vector>
#if defined(BFLOAT16)
#include <immintrin.h>

#include <cstring>
#endif
#if defined(AMX)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

#if defined(AMX)
constexpr int LANES = 16, VECTORS = 4;
constexpr int ROWS = 64, BLOCK = 32;  // more rows share the weights that are gathered for them
#elif defined(__AVX512F__)
constexpr int LANES = 16, VECTORS = 4;  // of 32 registers 16 hold sums
constexpr int ROWS = 4, BLOCK = ROWS;
#else
constexpr int LANES = 8, VECTORS = 3;  // of 16 registers 12 hold sums
constexpr int ROWS = 4, BLOCK = ROWS;
#endif
constexpr int PANEL = LANES * VECTORS;

typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#if defined(BFLOAT16)

typedef uint16_t Number;  // the upper half of a float32

bool is_zero(Number value) { return !(value & 0x7fff); }  // whichever its sign

// Interleaves the weights of two inputs.
//
// This takes of every eight outputs the first four of both inputs in turn, and then the others. So
// that outputs come out in order, each 32 of them lie in memory as 0–3, 16–19, 4–7, 20–23 and so on.
void interleave(const Number* one, const Number* other, __m512i& low, __m512i& high) {
    const __m512i first = _mm512_loadu_si512(one);
    const __m512i second = _mm512_loadu_si512(other);
    low = _mm512_unpacklo_epi16(first, second);
    high = _mm512_unpackhi_epi16(first, second);
}

#else

typedef float Number;

bool is_zero(Number value) { return value == 0; }

#endif

// The changes of some units that are read, ROWS states of a unit at a time.
struct Changes {
    const int32_t* inputs;  // that change, each times PANEL; in one group TOGETHER * n of them
    const Number* values;   // of a group BLOCK by BLOCK, of each TOGETHER inputs row by row
    const int64_t* starts;  // of each group of states: its first input; then where the last ends
};

#if defined(AMX)

// A tile is a register of 16 rows of 64 bytes. Of eight tiles four hold the sums of BLOCK states and
// two vectors of outputs; the others are loaded with 32 inputs' changes and weights.
constexpr int TOGETHER = 32;
constexpr int TILE_ROWS = 16, TILE_BYTES = 64, TILES = 8;

struct TileRow {
    __m512i pairs;  // of 16 outputs the weights of two inputs
};

struct alignas(64) TileShapes {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t bytes[16] = {};
    uint8_t rows[16] = {};
};

// The compiler doesn't know which memory a tile reads and writes: here all of it is as the code says.
void settle() { __asm__ volatile("" ::: "memory"); }

class Products {
   public:
    // inputs: the most that a group has.
    explicit Products(int64_t inputs) : weights_((inputs + TOGETHER) / 2 * VECTORS) {
        TileShapes shapes;
        for (int tile = 0; tile < TILES; tile++) {
            shapes.bytes[tile] = TILE_BYTES;
            shapes.rows[tile] = TILE_ROWS;
        }
        _tile_storeconfig(&before_);
        settle();
        _tile_loadconfig(&shapes);
    }

    Products(const Products&) = delete;
    Products& operator=(const Products&) = delete;

    // Leaves the tiles in the shapes that they had: other libraries use them as well.
    ~Products() { _tile_loadconfig(&before_); }

    // The products of a group of states with a panel's weights.
    void operator()(const Changes& changes, int64_t group, int64_t states, const Number* weights,
                    Vector (&sum)[ROWS][VECTORS]) {
        const int64_t start = changes.starts[group];
        const int64_t count = changes.starts[group + 1] - start;
        gather(changes.inputs + start, count, weights);
        settle();
        for (int64_t row = 0; row < states; row += BLOCK) {
            const Number* values = changes.values + start * ROWS + row * count;
            for (int v = 0; v < VECTORS; v += 2)
                multiply(values, weights_.data() + v * count / 2, count, &sum[row][v]);
        }
        settle();
    }

   private:
    // The weights of some inputs as tiles: of two vectors, for each TOGETHER inputs a tile of either.
    void gather(const int32_t* inputs, int64_t count, const Number* weights) {
        for (int64_t input = 0; input < count; input += 2) {
            TileRow* row = weights_.data() + input / TOGETHER * TOGETHER + input % TOGETHER / 2;
            const Number* one = weights + inputs[input];
            const Number* other = weights + inputs[input + 1];
            for (int v = 0; v < VECTORS; v += 2, row += count)
                interleave(one + v * LANES, other + v * LANES, row->pairs, row[TILE_ROWS].pairs);
        }
    }

    // The sums of BLOCK states, of two vectors of outputs.
    static void multiply(const Number* values, const TileRow* weights, int64_t count, Vector* sum) {
        constexpr int SUM_BYTES = VECTORS * sizeof(Vector);
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int64_t input = 0; input < count; input += TOGETHER) {
            _tile_loadd(4, values, TILE_BYTES);
            _tile_loadd(6, weights, TILE_BYTES);
            _tile_dpbf16ps(0, 4, 6);
            _tile_loadd(7, weights + TILE_ROWS, TILE_BYTES);
            _tile_dpbf16ps(1, 4, 7);
            _tile_loadd(5, values + TILE_ROWS * TOGETHER, TILE_BYTES);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
            values += BLOCK * TOGETHER;
            weights += 2 * TILE_ROWS;
        }
        _tile_stored(0, sum, SUM_BYTES);
        _tile_stored(1, sum + 1, SUM_BYTES);
        _tile_stored(2, sum + TILE_ROWS * VECTORS, SUM_BYTES);
        _tile_stored(3, sum + TILE_ROWS * VECTORS + 1, SUM_BYTES);
    }

    std::vector<TileRow> weights_;
    TileShapes before_;
};

#else

#if defined(BFLOAT16)

constexpr int TOGETHER = 2;  // inputs whose products are added at once

// Adds the products of two inputs.
//
// inputs, values: theirs. weights: of all inputs.
void multiply(const int32_t* inputs, const Number* values, const Number* weights,
              Vector (&sum)[ROWS][VECTORS]) {
    __m512i weight[VECTORS];
    for (int v = 0; v < VECTORS; v += 2)
        interleave(weights + inputs[0] + v * LANES, weights + inputs[1] + v * LANES, weight[v],
                   weight[v + 1]);
    for (int row = 0; row < ROWS; row++) {
        int32_t both;
        std::memcpy(&both, values + row * TOGETHER, sizeof both);
        const __m512bh value = (__m512bh)_mm512_set1_epi32(both);
        for (int v = 0; v < VECTORS; v++)
            sum[row][v] = (Vector)_mm512_dpbf16_ps((__m512)sum[row][v], (__m512bh)weight[v], value);
    }
}

#else

constexpr int TOGETHER = 1;

void multiply(const int32_t* input, const Number* values, const Number* weights,
              Vector (&sum)[ROWS][VECTORS]) {
    const Vector* weight = reinterpret_cast<const Vector*>(weights + *input);
    for (int row = 0; row < ROWS; row++)
        for (int v = 0; v < VECTORS; v++) sum[row][v] += values[row] * weight[v];
}

#endif

class Products {
   public:
    explicit Products(int64_t) {}

    // The products of a group of states with a panel's weights.
    void operator()(const Changes& changes, int64_t group, int64_t, const Number* weights,
                    Vector (&sum)[ROWS][VECTORS]) {
        Vector found[ROWS][VECTORS] = {};
        const int64_t stop = changes.starts[group + 1];
        for (int64_t input = changes.starts[group]; input < stop; input += TOGETHER)
            multiply(changes.inputs + input, changes.values + input * ROWS, weights, found);
        for (int row = 0; row < ROWS; row++)
            for (int v = 0; v < VECTORS; v++) sum[row][v] = found[row][v];
    }
};

#endif

// A tap of a unit: which products there are, and what they are added to.
struct Tap {
    int64_t group;   // first group of the states of the unit that is read
    int64_t states;  // how many there are
    int64_t uses;    // where those of its first state begin, in `Layout::starts`
};

// Where products are added.
struct Layout {
    const int64_t* starts;  // of each state that is read: its first use; then where the last ends
    const int32_t* uses;    // states of the unit, 0 for the clean one
};

void add(const Vector* sum, float* value) {
    Vector* vectors = reinterpret_cast<Vector*>(value);
    for (int v = 0; v < VECTORS; v++) vectors[v] += sum[v];
}

// Adds the products of one tap to the values of a unit, of one panel.
void add_tap(Products& products, const Changes& changes, const Tap& tap, const Layout& layout,
             const Number* weights, float* values) {
    for (int64_t first = 0; first < tap.states; first += ROWS) {
        const int64_t group = tap.group + first / ROWS;
        if (changes.starts[group] == changes.starts[group + 1]) continue;
        const int64_t states = std::min<int64_t>(ROWS, tap.states - first);
        alignas(64) Vector sum[ROWS][VECTORS];
        products(changes, group, states, weights, sum);
        const int64_t* starts = layout.starts + tap.uses + first;
        for (int64_t row = 0; row < states; row++)
            for (int64_t use = starts[row]; use < starts[row + 1]; use++)
                add(sum[row], values + int64_t(layout.uses[use]) * PANEL);
    }
}

// The larger one of each pair; not a number if one of them isn't.
Vector larger(Vector one, Vector other) { return (other > one) | (other != other) ? other : one; }

}  // namespace

extern "C" {

int64_t number() { return sizeof(Number); }

int64_t panel() { return PANEL; }

int64_t rows() { return ROWS; }

int64_t together() { return TOGETHER; }

// Whether the system lets this process use the instructions: Linux lets one use AMX that asks.
int64_t allowed() {
#if defined(AMX)
    constexpr int REQUEST = 0x1023, TILE_DATA = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
    return !syscall(SYS_arch_prctl, REQUEST, TILE_DATA);
#else
    return 1;
#endif
}

// Packs the changes of one unit; returns where they end.
//
// changes: `states` rows of `inputs` values, `step` values from one row to the next.
// place: where the unit's begin. Where those of each group begin is written to `starts`, and behind
// it where the last ones end.
// changed, packed: as `Changes::inputs` and `values`. A group is filled up with its last input,
// without a change. One input more than the last may be overwritten.
int64_t pack(const Number* changes, int64_t states, int64_t inputs, int64_t step, int64_t place,
             int32_t* changed, Number* packed, int64_t* starts) {
    std::vector<uint8_t> changes_in_any(inputs);
    for (int64_t first = 0; first < states; first += ROWS) {
        const int64_t start = *starts++ = place;
        const int64_t count = std::min<int64_t>(ROWS, states - first);
        const Number* const rows = changes + first * step;
        std::fill(changes_in_any.begin(), changes_in_any.end(), 0);
        for (int64_t row = 0; row < count; row++)
            for (int64_t input = 0; input < inputs; input++)
                changes_in_any[input] |= !is_zero(rows[row * step + input]);
        for (int64_t input = 0; input < inputs; input++) {
            changed[place] = int32_t(input * PANEL);
            place += changes_in_any[input];  // else the next one takes its place
        }
        const int64_t last = place;
        for (; place % TOGETHER; place++) changed[place] = changed[last - 1];
        Number* next = packed + start * ROWS;
        for (int64_t block = 0; block < count; block += BLOCK)
            for (int64_t some = start; some < place; some += TOGETHER)
                for (int64_t row = block; row < block + BLOCK; row++)
                    for (int64_t at = some; at < some + TOGETHER; at++) {
                        const bool differs = row < count && at < last;
                        *next++ = differs ? rows[row * step + changed[at] / PANEL] : 0;
                    }
    }
    *starts = place;
    return place;
}

// The results of all cells, of the panels from `first` to before `last`: a cell is a pooled unit,
// made of `members` units, or one unit alone.
//
// changed, packed, starts: the changes of all units that are read, as `pack` leaves them.
// weights: of each panel, tap and input, PANEL outputs.
// tap: `taps` for each unit, those of a cell's units one after the other.
// use_starts, uses: what each product is added to.
// clean: of each panel, from the first to be computed on, and unit: PANEL values without a window.
// unit_states: of each unit, how many states it has, with the clean one.
// cell_states: of each cell, how many results it has.
// chosen: of each cell, for each of its units, that unit's state in each state of the cell.
// pools: whether the results are changes of what is largest, behind ReLU; else they are the sums.
// memory: room for one panel of a unit in all of its states, and behind them of a cell.
// results: of all states of all cells, `panels` * PANEL values.
void compute(const int32_t* changed, const Number* packed, const int64_t* starts,
             const Number* weights, int64_t inputs, int64_t panels, int64_t first, int64_t last,
             int64_t taps, const Tap* tap,
             const int64_t* use_starts, const int32_t* uses, const float* clean, int64_t cells,
             int64_t members, const int64_t* unit_states, const int64_t* cell_states,
             const int32_t* chosen, int64_t pools, float* memory, int64_t most_unit_states,
             float* results) {
    const Changes changes = {changed, packed, starts};
    const Layout layout = {use_starts, uses};
    const Vector zero = {};
    Products products(inputs);
    Vector* const largest = reinterpret_cast<Vector*>(memory + most_unit_states * PANEL);
    for (int64_t panel = first; panel < last; panel++) {
        const Number* const panel_weights = weights + panel * taps * inputs * PANEL;
        const Tap* next_tap = tap;
        const int64_t* unit = unit_states;
        const int32_t* next_chosen = chosen;
        float* result = results + panel * PANEL;
        for (int64_t cell = 0; cell < cells; cell++) {
            const int64_t count = cell_states[cell];
            Vector largest_clean[VECTORS];
            for (int64_t member = 0; member < members; member++, unit++, clean += PANEL) {
                const Vector* unit_clean = reinterpret_cast<const Vector*>(clean);
                Vector* value = reinterpret_cast<Vector*>(memory);
                for (int64_t state = 0; state < *unit; state++)
                    for (int v = 0; v < VECTORS; v++) *value++ = unit_clean[v];
                for (int64_t number = 0; number < taps; number++, next_tap++)
                    add_tap(products, changes, *next_tap, layout,
                            panel_weights + number * inputs * PANEL, memory);
                for (int64_t state = 0; state < count; state++) {
                    const Vector* found =
                        reinterpret_cast<Vector*>(memory + *next_chosen++ * int64_t(PANEL));
                    Vector* kept = largest + state * VECTORS;
                    for (int v = 0; v < VECTORS; v++)
                        kept[v] = member ? larger(kept[v], found[v]) : found[v];
                }
                for (int v = 0; v < VECTORS; v++)
                    largest_clean[v] = member ? larger(largest_clean[v], unit_clean[v])
                                              : unit_clean[v];
            }
            for (int v = 0; v < VECTORS; v++) largest_clean[v] = larger(zero, largest_clean[v]);
            for (int64_t state = 0; state < count; state++, result += panels * PANEL) {
                Vector* written = reinterpret_cast<Vector*>(result);
                for (int v = 0; v < VECTORS; v++) {
                    const Vector sum = largest[state * VECTORS + v];
                    written[v] = pools ? larger(zero, sum) - largest_clean[v] : sum;
                }
            }
        }
    }
}
}
