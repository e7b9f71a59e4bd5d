"""The oath: whether an analysis keeps what the engine promises of it, seen on data that is made for it.

data        files of a few patients: RNA, clinical, features; images from the simulator
trial_study     the study that is made of them
trial_settings  its parameters: those of the study that was asked, with repetitions made few
variants    a task in which one thing is otherwise
promise     what was found, promise by promise
request     what a process of its own is asked to do with the analysis, and its answer
child       that process
watch       what a function reads that is no argument
names       which names of libraries say such a read
state       what a module keeps from call to call
results     rows of results as texts that can be compared
alone       promises about the function: the same anywhere, in any company, from its arguments alone
kept        promises about its results in a study: order, workers, kill, correction, withdrawal
declared    what becomes of the results without each part of the declaration
swearing    all of it, one after the other
"""
