; That the axiom of mrg_prove.h holds: there are no words for which it does not.
(set-logic QF_BV)
(declare-const x (_ BitVec 64))
(declare-const m (_ BitVec 64))
(assert (not (bvule (bvand x m) m)))
(check-sat)
