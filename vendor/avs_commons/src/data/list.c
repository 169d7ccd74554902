/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/commons/avs_list.h>

#define NEXT(element) (*avs_list_next_slot__(element))

void *avs_list_adjust_allocated_ptr__(void *allocated) {
    return allocated ? (char *) allocated + AVS_LIST_SPACE_FOR_NEXT__ : NULL;
}

void *avs_list_nth__(void *list, size_t n) {
    while (list && n--) {
        list = NEXT(list);
    }
    return list;
}

void **avs_list_nth_ptr__(void **list_ptr, size_t n) {
    while (n--) {
        if (!*list_ptr) {
            return NULL;
        }
        list_ptr = avs_list_next_slot__(*list_ptr);
    }
    return list_ptr;
}

void **avs_list_find_ptr__(void **list_ptr, void *element) {
    for (; *list_ptr; list_ptr = avs_list_next_slot__(*list_ptr)) {
        if (*list_ptr == element) {
            return list_ptr;
        }
    }
    return NULL;
}

void **avs_list_find_by_value_ptr__(void **list_ptr, void *value_ptr, avs_list_comparator_func_t comparator,
                                    size_t value_size) {
    for (; *list_ptr; list_ptr = avs_list_next_slot__(*list_ptr)) {
        if (comparator(*list_ptr, value_ptr, value_size) == 0) {
            return list_ptr;
        }
    }
    return NULL;
}

void *avs_list_tail__(void *list) {
    while (list && NEXT(list)) {
        list = NEXT(list);
    }
    return list;
}

void **avs_list_append_ptr__(void **list_ptr) {
    while (*list_ptr) {
        list_ptr = avs_list_next_slot__(*list_ptr);
    }
    return list_ptr;
}

void *avs_list_append__(void *element, void **list_ptr) {
    if (element) {
        *avs_list_append_ptr__(list_ptr) = element;
    }
    return element;
}

void *avs_list_insert__(void *list_to_insert, void **insert_ptr) {
    if (list_to_insert) {
        void *rest = *insert_ptr;
        *insert_ptr = list_to_insert;
        NEXT(avs_list_tail__(list_to_insert)) = rest;
    }
    return list_to_insert;
}

void *avs_list_detach__(void **to_detach_ptr) {
    void *element = *to_detach_ptr;
    *to_detach_ptr = NEXT(element);
    NEXT(element) = NULL;
    return element;
}

size_t avs_list_size__(const void *list) {
    size_t size = 0;
    for (; list; list = NEXT(list)) {
        ++size;
    }
    return size;
}

void avs_list_merge__(void **target_ptr, void **source_ptr, avs_list_comparator_func_t comparator, size_t element_size) {
    while (*source_ptr) {
        if (!*target_ptr) {
            *target_ptr = *source_ptr;
            *source_ptr = NULL;
            return;
        }
        if (comparator(*target_ptr, *source_ptr, element_size) > 0) {
            void *moved = avs_list_detach__(source_ptr);
            avs_list_insert__(moved, target_ptr);
        }
        target_ptr = avs_list_next_slot__(*target_ptr);
    }
}

void avs_list_sort__(void **list_ptr, avs_list_comparator_func_t comparator, size_t element_size) {
    size_t size = avs_list_size__(*list_ptr);
    if (size < 2) {
        return;
    }
    void **middle = avs_list_nth_ptr__(list_ptr, size / 2);
    void *second = *middle;
    *middle = NULL;
    avs_list_sort__(list_ptr, comparator, element_size);
    avs_list_sort__(&second, comparator, element_size);
    avs_list_merge__(list_ptr, &second, comparator, element_size);
}

int avs_list_is_cyclic__(const void *list) {
    const void *slow = list, *fast = list;
    while (fast && NEXT(fast)) {
        slow = NEXT(slow);
        fast = NEXT(NEXT(fast));
        if (slow == fast) {
            return 1;
        }
    }
    return 0;
}

void *avs_list_simple_clone__(void *list, size_t elem_size) {
    void *clone = NULL, **end = &clone;
    for (; list; list = NEXT(list)) {
        void *element = AVS_LIST_NEW_BUFFER(elem_size);
        if (!element) {
            void **rest = &clone;
            AVS_LIST_CLEAR(rest);
            return NULL;
        }
        memcpy(element, list, elem_size);
        *end = element;
        end = avs_list_next_slot__(element);
    }
    return clone;
}
