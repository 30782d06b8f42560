#include "postgres/hashes/row_hasher.h"
#include "postgres/hashes/value_hashers.h"

extern "C" {
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

namespace reverse_etl {
namespace {

/// With its bounds, since they are printed unless they begin at 1.
class ArrayHasher : public ValueHasher {
  public:
    explicit ArrayHasher(Oid element) : element_(ValueHasher::make(element)) {
        get_typlenbyvalalign(element, &length_, &by_value_, &alignment_);
    }

    void add(Datum value, HashStream &stream) override {
        ArrayType *array = DatumGetArrayTypeP(value);
        add_kind(HashKind::array, stream);
        stream.add_number(static_cast<std::uint8_t>(ARR_NDIM(array)));
        for (int i = 0; i < ARR_NDIM(array); i++) {
            stream.add_number(ARR_DIMS(array)[i]);
            stream.add_number(ARR_LBOUND(array)[i]);
        }
        add_elements(array, ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)), stream);
        if (static_cast<void *>(array) != DatumGetPointer(value))
            pfree(array);
    }

  private:
    void add_elements(ArrayType *array, int count, HashStream &stream) {
        const bits8 *present = ARR_NULLBITMAP(array);
        char *at = ARR_DATA_PTR(array);
        for (int i = 0; i < count; i++) {
            if (present != nullptr && (present[i / 8] & (1 << (i % 8))) == 0) {
                add_kind(HashKind::null, stream);
                continue;
            }
            element_->add(fetch_att(at, by_value_, length_), stream);
            at = att_addlength_pointer(at, length_, at);
            at = reinterpret_cast<char *>(att_align_nominal(at, alignment_));
        }
    }

    ValueHasher *element_;
    int16 length_;
    bool by_value_;
    char alignment_;
};

class RangeHasher : public ValueHasher {
  public:
    explicit RangeHasher(Oid type)
        : type_(lookup_type_cache(type, TYPECACHE_RANGE_INFO)), bound_(ValueHasher::make(type_->rngelemtype->type_id)) {
    }

    TypeCacheEntry *type() const { return type_; }

    void add(Datum value, HashStream &stream) override {
        RangeType *range = DatumGetRangeTypeP(value);
        add_range(range, stream);
        if (static_cast<void *>(range) != DatumGetPointer(value))
            pfree(range);
    }

    void add_range(RangeType *range, HashStream &stream) {
        RangeBound lower, upper;
        bool empty;
        range_deserialize(type_, range, &lower, &upper, &empty);
        add_kind(HashKind::range, stream);
        stream.add_number(static_cast<std::uint8_t>(empty));
        if (empty)
            return;
        add_bound(lower, stream);
        add_bound(upper, stream);
    }

  private:
    void add_bound(const RangeBound &bound, HashStream &stream) {
        stream.add_number(static_cast<std::uint8_t>(bound.inclusive));
        if (bound.infinite)
            add_kind(HashKind::null, stream);
        else
            bound_->add(bound.val, stream);
    }

    TypeCacheEntry *type_;
    ValueHasher *bound_;
};

class MultirangeHasher : public ValueHasher {
  public:
    explicit MultirangeHasher(Oid type) : range_(get_multirange_range(type)) {}

    void add(Datum value, HashStream &stream) override {
        MultirangeType *ranges = DatumGetMultirangeTypeP(value);
        RangeType **each;
        int32 count;
        multirange_deserialize(range_.type(), ranges, &count, &each);
        add_kind(HashKind::multirange, stream);
        stream.add_number(count);
        for (int32 i = 0; i < count; i++)
            range_.add_range(each[i], stream);
    }

  private:
    RangeHasher range_;
};

} // namespace

ValueHasher *nested_hasher(Oid type) {
    if (Oid element = get_element_type(type); OidIsValid(element))
        return make_hasher<ArrayHasher>(element);
    if (type_is_rowtype(type))
        return make_hasher<RowHasher>(CurrentMemoryContext);
    switch (get_typtype(type)) {
    case TYPTYPE_RANGE:
        return make_hasher<RangeHasher>(type);
    case TYPTYPE_MULTIRANGE:
        return make_hasher<MultirangeHasher>(type);
    default:
        return nullptr;
    }
}

} // namespace reverse_etl
