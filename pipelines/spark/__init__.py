"""Beyond one machine: the same features, scores and reasons from the same functions, a share of the customers each.

All rows of a customer meet in one partition of Spark; what runs on it is the code that runs embedded. Needs the extra
``treue[spark]`` and Java 17; how it is submitted to a cluster says ``docs/spark.md``.
"""

from pipelines.spark.company import SparkCompany

__all__ = ["SparkCompany"]
