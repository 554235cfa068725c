"""Absences of officers (缺勤代岗): who covers whose claimed work, from which day to which."""
